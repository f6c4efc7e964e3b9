"""Bars of a run against the goals, and everything that is written of it."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from loadtests.common.page import write_page
from loadtests.common.sheets import Sheet
from loadtests.common.tables import markdown_of
from loadtests.fusion.tables import tables_of
from loadtests.markdown import write_section
from shared.reports import REPORTS_FOLDER, Bar, write_report

GOAL_RAISE, GOAL_LOSS_PERCENT = 0.05, 5.0
GOAL_BEATS_RANDOM = 0.95
GOAL_FALSE_ACCEPTS = 1e-3
# What the orchestrator allows enhancing to cost before it is undone.
GOAL_ENHANCED_LOSS = -0.02

Details = Mapping[str, Any]


def bars_of(details: Details) -> list[Bar]:
    """Returns the bars of the sections that were measured; what is missing has none, and notes say so."""
    found: list[Bar] = []
    if fusion := details.get("fusion"):
        found += _values(
            ("similarity raised by fusion", fusion["raise"], GOAL_RAISE, ">="),
            ("similarity raised by fusion, as shipped", fusion["raise_shipped"], GOAL_RAISE, ">="),
        )
        for name, key in (("", "quality_loss"), (", as shipped", "quality_loss_shipped")):
            if fusion[key] is not None:
                title = f"worst loss of an image's quality by fusion{name}, %"
                found.append(Bar(title, 100 * fusion[key], GOAL_LOSS_PERCENT, "<="))
    found += [Bar(**bar) for bar in (details.get("marks") or {}).get("bars", [])]
    if rank := details.get("rank"):
        found += _values(
            ("top 1 beats a random candidate, share", rank["beats_random"], GOAL_BEATS_RANDOM, ">="),
            ("top 1 over FaceChain's, similarity", rank["over_facechain"], 0.0, ">="),
        )
    for count, gate in (details.get("gate") or {}).items():
        title = f"strangers' photos let through, {count} references"
        goal = gate["calibrated_false_accepts"] or GOAL_FALSE_ACCEPTS
        found += _values((title, gate.get("false_accepts_probes"), goal, "<="))
    if enhance := details.get("enhance"):
        found += _values(
            ("similarity after enhancing", enhance["similarity"], GOAL_ENHANCED_LOSS, ">="),
            ("quality after enhancing", enhance["quality"], 0.0, ">="),
        )
    return found


def notes_of(details: Details) -> list[str]:
    """Returns what a reader must know before the figures."""
    judge = details["judge"]
    notes = [
        f"{details['people']} people of the head factory whom no net was trained on, "
        f"{details['references']} references and {details['candidates']} candidates each, style "
        f"{details['style']}. Likeness is judged by: {judge['name']}. Intervals hold 95 %, bootstrapped over "
        "people."
    ]
    if judge["takes_part"]:
        notes.append(
            "The judge took part in making and ranking the pictures: these figures flatter, and are not to "
            "be published. Train the starter's embedder, or name one with --judge."
        )
    if not details["has_judged_quality"]:
        notes.append("No quality net is installed: quality is face analysis's overall measure, a stand-in.")
    missing = [name for name in ("fusion", "marks", "rank", "gate", "enhance") if not details.get(name)]
    if missing:
        notes.append(f"Not measured: {', '.join(missing)}.")
    notes += [f"{name} failed: {why}" for name, why in details.get("failed", {}).items()]
    return notes


def write(command: str, details: Details, sheets: Sequence[Sheet], folder: Path = REPORTS_FOLDER) -> Path:
    """Writes <folder>/eval-fusion.json, .md and .html; returns the page."""
    listed = [{"file": os.path.relpath(sheet.file, folder), "caption": sheet.caption} for sheet in sheets]
    bars = bars_of(details)
    path = write_report("eval-fusion", command, bars, {**details, "sheets": listed}, folder=folder)
    tables, notes = tables_of(details), notes_of(details)
    write_section(path.with_suffix(".md"), path, markdown_of(tables, notes))
    page = path.with_suffix(".html")
    write_page(page, path, "Fusion, restoration, ranking", notes, tables, sheets)
    return page


def _values(*known: tuple[str, Mapping[str, float] | None, float, Any]) -> list[Bar]:
    return [Bar(name, figure["value"], goal, op) for name, figure, goal, op in known if figure is not None]
