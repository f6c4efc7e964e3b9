"""The report as a page to look at: bars, tables, contact sheets."""

import json
import os
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from cli.sheet import html_page
from loadtests.common.sheets import Sheet
from loadtests.common.tables import Table

_STYLE = """
body { max-width: 1460px }
td, th { border-bottom: 1px solid #e5e5ea }
td + td, th + th { text-align: right; font-variant-numeric: tabular-nums }
.sheet { max-width: 100%; width: auto; border-radius: 8px; box-shadow: 0 1px 4px #0002 }
.warning { background: #fff3cd; padding: .6rem 1rem; border-radius: 8px }
"""


def write_page(
    path: Path,
    report_file: Path,
    title: str,
    notes: Sequence[str],
    tables: Sequence[Table],
    sheets: Sequence[Sheet],
    first: Sequence[Sheet] = (),
) -> None:
    """Writes the page; pictures are linked relative to it.

    Args:
        path: the HTML file.
        report_file: what `write_report` wrote.
        title: of the page.
        notes: what was measured, then warnings, such as that the judge took part.
        tables: in order.
        sheets: in order, below the tables.
        first: those above the bars: what a reader should see before any figure.
    """
    report = json.loads(report_file.read_text("utf-8"))
    machine = report["machine"]
    source = (
        f"<code>{escape(report['command'])}</code> · {report['date'][:10]} · commit {report['commit']} · "
        f"{escape(machine['cpu'])}, {machine['cores']} cores"
    )
    parts = [f"<h1>{escape(title)}</h1>", f"<p class=sub>{source}</p>"]
    summary, *warnings = notes
    parts.append(f"<p>{escape(summary)}</p>")
    parts += [f"<p class=warning>{escape(note)}</p>" for note in warnings]
    parts += [_shown(sheet, path.parent) for sheet in first]
    parts += ["<h2>Bars</h2>", _bars(report["bars"])]
    parts += [f"<h2>{escape(table.title)}</h2><p>{escape(table.note)}</p>{_table(table)}" for table in tables]
    parts += [_shown(sheet, path.parent) for sheet in sheets]
    head = f"<meta charset=utf-8><title>{escape(title)}</title><style>{_STYLE}</style>"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html_page(head, "".join(parts)), encoding="utf-8")


def _shown(sheet: Sheet, folder: Path) -> str:
    link = os.path.relpath(sheet.file, folder)
    return f"<h2>{escape(sheet.caption)}</h2><img class=sheet src='{escape(link)}' alt=''>"


def _bars(bars: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for bar in bars:
        met = "yes" if bar["met"] else "no"
        goal = f"{escape(bar['op'])} {bar['goal']:g}"
        rows.append(
            f"<tr><td>{escape(bar['name'])}</td><td>{bar['value']:.3g}</td><td>{goal}</td>"
            f"<td class={met}>{met}</td></tr>"
        )
    return f"<table><tr><th>bar</th><th>value</th><th>goal</th><th>met</th></tr>{''.join(rows)}</table>"


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.headings)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>" for cells in table.rows
    )
    return f"<table><tr>{head}</tr>{rows}</table>"
