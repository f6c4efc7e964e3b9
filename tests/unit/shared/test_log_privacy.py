"""A traceback in the log never shows local variables: they hold people's photos."""

import pytest

from shared.telemetry import configure_logging, get_logger


@pytest.mark.parametrize("style", ["console", "json"])
def test_tracebacks_show_no_local_variables(style: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", style)
    photo = b"pixels of somebody" * 3
    try:
        raise RuntimeError(f"{len(photo)} bytes could not be read")
    except RuntimeError:
        get_logger("test").exception("photo.failed")
    captured = capsys.readouterr()
    printed = captured.out + captured.err
    assert "RuntimeError" in printed
    assert "pixels of somebody" not in printed
