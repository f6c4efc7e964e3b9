"""Everything that is written of an experiment."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from loadtests.common.page import write_page
from loadtests.common.sheets import Sheet
from loadtests.common.tables import Table, markdown_of
from loadtests.markdown import write_section
from shared.reports import REPORTS_FOLDER, Bar, write_report


class Experiment(Protocol):
    """A module that measures something, and knows how to say it."""

    REPORT: str

    def bars_of(self, details: dict[str, Any]) -> list[Bar]:
        """Returns what must hold."""

    def tables_of(self, details: dict[str, Any]) -> list[Table]:
        """Returns the figures as tables."""


def write(
    experiment: Experiment,
    command: str,
    details: Mapping[str, Any],
    sheets: Sequence[Sheet],
    folder: Path = REPORTS_FOLDER,
) -> Path:
    """Writes <folder>/<report>.json, .md and .html; returns the page."""
    listed = [{"file": os.path.relpath(sheet.file, folder), "caption": sheet.caption} for sheet in sheets]
    known = dict(details)
    path = write_report(
        experiment.REPORT, command, experiment.bars_of(known), {**known, "sheets": listed}, folder=folder
    )
    notes = [f"{known['people']} people whom no net was trained on. Intervals hold 95 %, over people."]
    tables = experiment.tables_of(known)
    write_section(path.with_suffix(".md"), path, markdown_of(tables, notes))
    page = path.with_suffix(".html")
    write_page(page, path, tables[0].title, notes, tables, (), first=sheets)
    return page
