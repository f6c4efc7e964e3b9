"""A client team installs the stubs alone and completes a portrait with the README's client."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from rich.console import Console

from cli.embedded import embedded_server

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "portrait_client.py"


def test_the_readme_shows_the_example_as_it_is() -> None:
    code = EXAMPLE.read_text().split('"""', 2)[2].strip()
    assert code in (ROOT / "README.md").read_text()


@pytest.mark.slow
def test_the_example_completes_a_portrait_with_the_stubs_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_STATE_DIR", str(tmp_path / "state"))
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", str(ROOT / "protos")], check=True, cwd=tmp_path
    )
    photos = sorted((ROOT / "starter" / "samples" / "ada").glob("*.png"))
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL"))}
    with embedded_server(Console(file=sys.stderr)) as target:
        result = subprocess.run(
            [python, str(EXAMPLE), target, *map(str, photos)],
            cwd=tmp_path,
            env=clean,
            timeout=300,
            check=False,
        )
    assert result.returncode == 0
    assert (tmp_path / "portrait-1.png").read_bytes().startswith(b"\x89PNG")
