"""Markdown for docs/benchmarks.md: tables come from the reports, so that nobody types a figure.

python -m loadtests.markdown          # writes the sections of the reports into docs/benchmarks.md
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared.reports import REPORTS_FOLDER

DOCUMENT = Path("docs/benchmarks.md")
NAMES = (
    "bench-engine", "bench-scheduler", "eval-starter", "eval-few-step", "eval-common-face", "eval-acting",
    "bench-torch", "eval-fusion", "bench-fusion",
)  # fmt: skip


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a table; the first column is text, the others are right-aligned figures.

    Raises: ValueError if a row has not as many cells as there are headings.
    """
    if any(len(cells) != len(headings) for cells in rows):
        raise ValueError(f"every row needs {len(headings)} cells")
    rule = ["---", *["---:"] * (len(headings) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [headings, rule, *rows])


def bar_table(report: dict[str, Any]) -> str:
    """Returns the bars of a report."""
    rows = [
        [
            bar["name"],
            f"{bar['value']:.3g}",
            f"{bar['op']} {bar['goal']:g}",
            "yes" if bar["met"] else "**no**",
        ]
        for bar in report["bars"]
    ]
    return table(["bar", "value", "goal", "met"], rows)


def section(report: dict[str, Any], body: str) -> str:
    """Returns what was run where, the bars, then *body*."""
    machine = report["machine"]
    source = (
        f"`{report['command']}`, {report['date'][:10]}, commit {report['commit']}, {machine['cpu']}, "
        f"{machine['cores']} cores, {machine['memory_gib']:.0f} GiB, Python {machine['python']}."
    )
    return "\n\n".join([source, bar_table(report), body])


def write_section(path: Path, report_path: Path, body: str) -> str:
    """Writes the section of a report to *path*, from where `main` takes it; returns its text."""
    text = section(json.loads(report_path.read_text(encoding="utf-8")), body)
    path.write_text(text + "\n", encoding="utf-8")
    return text


def insert(document: str, name: str, text: str) -> str:
    """Returns *document* with the text between the markers of *name* replaced.

    Raises: ValueError if the document does not have the two markers exactly once.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if len(pattern.findall(document)) != 1:
        raise ValueError(f"the document needs one pair of markers {begin} and {end}")
    return pattern.sub(lambda _: f"{begin}\n{text.strip()}\n{end}", document)


def main() -> None:
    """Writes every section that a full run left into the document."""
    document = DOCUMENT.read_text(encoding="utf-8")
    for name in NAMES:
        text = publishable(REPORTS_FOLDER, name)
        if text is None:
            print(f"{DOCUMENT}: {name} stays as it is; there is no report of a full make {name}")
        else:
            document = insert(document, name, text)
            print(f"{DOCUMENT}: {name} written")
    DOCUMENT.write_text(document, encoding="utf-8")


def publishable(folder: Path, name: str) -> str | None:
    """Returns the section of a report; None if there is none, or a quick or broken run made it."""
    report, text = folder / f"{name}.json", folder / f"{name}.md"
    if not report.exists() or not text.exists():
        return None
    known = json.loads(report.read_text(encoding="utf-8"))
    is_partial = "--quick" in known["command"] or known.get("details", {}).get("is_partial", False)
    return None if is_partial else text.read_text(encoding="utf-8")


if __name__ == "__main__":
    main()
