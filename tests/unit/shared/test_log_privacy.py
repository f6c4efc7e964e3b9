"""A traceback in the log never shows local variables: they hold people's photos."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys
from shared.telemetry import configure_logging, get_logger
configure_logging("INFO", sys.argv[1])
photo = b"pixels of " + b"somebody"
try:
    raise RuntimeError(f"{len(photo)} bytes could not be read")
except RuntimeError:
    get_logger("test").exception("photo.failed")
"""


@pytest.mark.parametrize("style", ["console", "json"])
def test_tracebacks_show_no_local_variables(style: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, style], capture_output=True, text=True, timeout=60, check=True
    )
    assert "18 bytes could not be read" in result.stderr
    assert "pixels of somebody" not in result.stderr + result.stdout
