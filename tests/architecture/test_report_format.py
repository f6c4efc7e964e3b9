"""Every measurement with a make target writes its report through the one helper, under its name."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_measuring_targets_write_a_report_of_their_name() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^((?:bench|eval)-[a-z-]+|load):", makefile, re.MULTILINE)
    assert targets
    written = {
        name
        for folder in ("loadtests", "starter", "services")
        for path in (ROOT / folder).rglob("*.py")
        for name in re.findall(r'(?:write_report\(\s*|^REPORT = )"([a-z-]+)"', path.read_text(), re.MULTILINE)
    }
    assert set(targets) - written == set()
