"""Wrong use of the command line gets a message and a status, never a traceback."""

from pathlib import Path

import pytest
from likeness.orchestrator.v1 import resources_pb2
from typer.testing import CliRunner

from cli.main import app
from cli.portrait import finishing

runner = CliRunner()


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["portrait"], "name photos"),
        (["portrait", "a.png", "--identity", "identities/x"], "not both"),
        (["portrait", "a.png", "--count", "99"], "less than or equal to 16"),
        (["demo", "--sample", "nobody"], "no sample identity"),
    ],
)
def test_wrong_options_say_what_is_wrong(arguments: list[str], words: str) -> None:
    result = runner.invoke(app, arguments)
    assert result.exit_code == 2
    assert words in result.output


def test_a_server_that_is_not_there_is_named_with_the_remedy(tmp_path: Path) -> None:
    photo = tmp_path / "a.png"
    photo.write_bytes(b"x")
    result = runner.invoke(app, ["portrait", str(photo), "--server", "127.0.0.1:1"])
    assert result.exit_code == 1
    assert "No answer from 127.0.0.1:1" in result.output
    assert "likeness serve" in result.output


def test_a_missing_file_is_named_before_anything_is_sent() -> None:
    result = runner.invoke(app, ["identity", "create", "nowhere.png", "--server", "127.0.0.1:1"])
    assert result.exit_code == 2
    assert "nowhere.png is not a file" in result.output


def test_only_what_is_turned_off_is_sent() -> None:
    assert finishing(fuse=True, restore_marks=False, enhance=True) == resources_pb2.Finishing(
        restore_marks=False
    )


@pytest.mark.parametrize(
    "command", ["serve", "portrait", "watch", "styles", "doctor", "identity", "health", "calibrate"]
)
def test_every_command_teaches(command: str) -> None:
    result = runner.invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output
