"""Bars of a run against the goals, and everything that is written of it."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from loadtests.common.page import write_page
from loadtests.common.sheets import Sheet
from loadtests.common.tables import markdown_of
from loadtests.markdown import write_section
from loadtests.starter.methods import LATE, METHODS
from loadtests.starter.prompts import LISTS
from loadtests.starter.tables import tables_of
from shared.reports import REPORTS_FOLDER, Bar, write_report

NAME = "eval-starter"
GOAL_DETECTED = 0.98
GOAL_ADHERENCE = dict(zip(LISTS, (0.85, 0.85, 0.75, 0.90), strict=True))
GOAL_UNDER_TEXT = -3.0
GOAL_DB = {"whole": 32.0, "eyes": 30.0, "mouth": 30.0}
GOAL_LANDMARKS, GOAL_PARSER = 4.0, 0.85

Details = Mapping[str, Any]


def bars_of(details: Details) -> list[Bar]:
    """Returns the bars of what was measured; what is missing has none, and notes say so."""
    found: list[Bar] = []
    methods = details["methods"]
    for method in METHODS:
        if (known := methods.get(method.key)) is None or not method.has_identity:
            continue
        found += _bar(f"face found, {method.title}", known["detected"], GOAL_DETECTED)
        if method.goal is not None:
            accuracy = known["likeness"]["accuracy"]
            found += _bar(f"verification accuracy, {method.title}", accuracy, method.goal)
    if (late := methods.get(LATE.key)) is not None:
        for name, goal in GOAL_ADHERENCE.items():
            found += _bar(
                f"adherence: {name.replace('_', ' ')}, {LATE.title}", late["adherence"].get(name), goal
            )
        title = f"adherence over text to image, points, {LATE.title}"
        found += _bar(title, late["under_text"]["all"], GOAL_UNDER_TEXT)
    pack = details["pack"]
    for region, goal in GOAL_DB.items():
        found += _bar(f"autoencoder, {region}, dB", pack["psnr_db"][region], goal)
    if pack["landmarks_percent"] is not None:
        value = pack["landmarks_percent"]["value"]
        found.append(Bar("landmark error, % of the eye distance", value, GOAL_LANDMARKS, "<="))
    if pack["parser_mean_iou"] is not None:
        found.append(Bar("parser, mean IoU (its card's)", pack["parser_mean_iou"], GOAL_PARSER, ">="))
    return found


def _bar(title: str, figure: Mapping[str, float] | None, goal: float) -> list[Bar]:
    return [] if figure is None else [Bar(title, figure["value"], goal, ">=")]


def notes_of(details: Details) -> list[str]:
    """Returns what a reader must know before the figures."""
    people = max((method["people"] for method in details["methods"].values()), default=0)
    notes = [
        f"{people} people of the head factory whom no net was trained on, {details['references']} references "
        f"each, {details['prompts']} prompts, {details['images']} pictures of each by every method from the "
        f"same seeds; {details['characters']} characters to compare with. Prompts name sex and age, nothing "
        f"else of the person. Likeness is judged by: {details['judge']['name']}. Intervals hold 95 %, over "
        "people."
    ]
    if details["judge"]["takes_part"]:
        notes.append(
            "The judge took part in making the pictures: its figures flatter. Train the pack's embedder."
        )
    if details["is_partial"]:
        notes.append(
            "Stopped before everybody was done: the figures are of the people that were. Run it again."
        )
    if details["features"] != "scene":
        notes.append(
            "The pack has no scene net: background, expression, clothes and turn are not measured, and "
            "pictures are compared by the attribute net's features, which was trained on head crops."
        )
    if details["left_out"]:
        notes.append(f"Left out, as none of their photos is fit to use: {details['left_out']}.")
    notes += [f"{name} was not measured: {why}" for name, why in details["failed"].items()]
    notes += [f"{one['name']}: {one['problem']}" for one in details["photographs"] if one["problem"]]
    return notes


def write(
    command: str,
    details: Details,
    first: Sequence[Sheet],
    sheets: Sequence[Sheet],
    folder: Path = REPORTS_FOLDER,
) -> Path:
    """Writes <folder>/eval-starter.json, .md and .html; returns the page."""
    listed = [
        {"file": os.path.relpath(sheet.file, folder), "caption": sheet.caption} for sheet in [*first, *sheets]
    ]
    path = write_report(
        "eval-starter", command, bars_of(details), {**details, "sheets": listed}, folder=folder
    )
    tables, notes = tables_of(details), notes_of(details)
    write_section(path.with_suffix(".md"), path, markdown_of(tables, notes))
    page = path.with_suffix(".html")
    write_page(page, path, "The starter pack", notes, tables, sheets, first)
    return page
