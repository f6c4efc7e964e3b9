"""Does the few-step adapter pay? Portraits by every way, what they keep, and what they take."""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from likeness.diffusion.v1 import diffusion_pb2 as pb

from loadtests.adapters.drawn import Bench, Drawn, Kept, Values
from loadtests.adapters.ways import FULL, WAYS, Way, rivals
from loadtests.common.intervals import estimate, mean_of_people
from loadtests.common.services import CALL_TIMEOUT_S
from loadtests.common.sheets import Cell, Row, Sheet, write_sheet
from loadtests.common.tables import Table, figure
from loadtests.starter.people import Person
from loadtests.starter.prompts import FIXED
from shared.images import decode_image
from shared.reports import REPORTS_FOLDER, Bar
from starter.train.fewstep import NAME

REPORT = "eval-few-step"
_TIMED = 5
_SHOWN_PEOPLE = 6
Details = dict[str, Any]


def measure(bench: Bench, people: Sequence[Person]) -> tuple[Details, list[Sheet]]:
    """Returns the figures of every way, and a sheet to look at.

    Raises: ValueError if the model has no adapter of that name.
    """
    if NAME not in {adapter.name for adapter in bench.drawings.model.adapters}:
        raise ValueError(
            f"the model has no adapter {NAME!r}: run `python -m starter train {NAME}` and "
            "`python -m starter pack --adapters-only`"
        )
    templates = {p.number: p.character.template for p in people if p.character.template is not None}
    portraits: dict[str, list[Drawn]] = {}
    found: dict[str, Kept] = {}
    for way in WAYS:
        print(f"drawing: {way.title}", flush=True)
        portraits[way.key] = bench.draw(people, partial(_fill, way))
        found[way.key] = bench.kept(portraits[way.key], templates)
    seconds = {way.key: seconds_of(bench, people[0], way) for way in WAYS}
    apart = {way.key: apart_from(portraits[FULL.key], portraits[way.key]) for way in WAYS}
    details = {"people": len(people), "ways": figures_of(found, seconds, apart)}
    return details, [_sheet(people, portraits)]


def _fill(way: Way, request: pb.GenerateRequest, _: Person) -> None:
    way.fill(request)


def apart_from(full: Sequence[Drawn], other: Sequence[Drawn]) -> Values:
    """Returns by person how far portraits are from those of the same prompt and seed: rms of 8-bit values.

    A likeness alone would not tell: to an embedder a blurred face may be as like as a crisp one.
    """
    found: Values = {}
    for one, same in zip(full, other, strict=True):
        first, second = (
            decode_image(drawn.file.read_bytes(), name=drawn.file.name).astype(np.float64)
            for drawn in (one, same)
        )
        found.setdefault(one.person, []).append(float(np.sqrt(((first - second) ** 2).mean())))
    return found


def figures_of(
    found: Mapping[str, Kept], seconds: Mapping[str, float], apart: Mapping[str, Values]
) -> Details:
    """Returns all figures of every way; ways with an adapter also against the best one of no more rows."""
    figures: Details = {}
    for way in WAYS:
        one: Details = {"title": way.title, "rows": way.rows, "seconds": seconds[way.key]}
        one |= found[way.key].figures()
        one["apart"] = estimate(apart[way.key])
        one["over_full"] = found[way.key].over(found[FULL.key])
        if way.adapter is not None:
            rival = max(rivals(way), key=lambda other: _mean(found[other.key].likeness))
            one["rival"] = rival.title
            one["over_rival"] = found[way.key].over(found[rival.key])
            nearest = min(rivals(way), key=lambda other: mean_of_people(apart[other.key]).value)
            one["nearest"] = nearest.title
            one["nearer"] = mean_of_people(apart[nearest.key]).value - mean_of_people(apart[way.key]).value
        figures[way.key] = one
    return figures


def _mean(values: Mapping[int, Sequence[float]]) -> float:
    known = [value for own in values.values() for value in own]
    return sum(known) / len(known)


def seconds_of(bench: Bench, person: Person, way: Way) -> float:
    """Returns the median wall time of a portrait that is drawn alone, of seeds that nobody has drawn."""
    taken = []
    for number in range(_TIMED + 1):
        request = bench.request(person, FIXED, index=0)
        request.seed = 10_000 + number
        way.fill(request)
        began = time.perf_counter()
        _finish(bench, request)
        taken.append(time.perf_counter() - began)
    # The first one packs the adapter and meets cold caches.
    return sorted(taken[1:])[_TIMED // 2]


def _finish(bench: Bench, request: pb.GenerateRequest) -> None:
    for response in bench.services.diffusion.Generate(request, timeout=CALL_TIMEOUT_S):
        if response.WhichOneof("event") == "image":
            return
    raise RuntimeError("the diffusion service ended its stream without a picture")


def bars_of(details: Details) -> list[Bar]:
    """Returns what must hold for the adapter to be shipped."""
    bars = []
    for way in WAYS:
        one = details["ways"][way.key]
        if way.adapter is None:
            continue
        title = f"{way.title}, over {one['rival']}"
        if one["over_rival"]["likeness"] is not None:
            bars.append(Bar(f"{title}: likeness", one["over_rival"]["likeness"]["value"], 0.0, ">="))
        if one["over_rival"]["adherence"] is not None:
            bars.append(Bar(f"{title}: prompt, points", one["over_rival"]["adherence"]["value"], 0.0, ">="))
        bars.append(
            Bar(f"{way.title}, nearer to 20 steps than {one['nearest']}, of 255", one["nearer"], 0.0, ">=")
        )
    fastest = min(details["ways"][way.key]["seconds"] for way in WAYS if way.adapter is not None)
    return [*bars, Bar("a portrait in few steps, s", fastest, 0.4, "<=")]


def tables_of(details: Details) -> list[Table]:
    """Returns the figures as a table."""
    rows = [
        (
            one["title"],
            str(one["rows"]),
            f"{one['seconds']:.2f}",
            figure(one["likeness"]),
            figure(one["adherence"], 2),
            figure(one["detected"], 2),
            figure(one["over_full"]["likeness"]),
            figure(one["apart"], 1),
        )
        for one in details["ways"].values()
    ]
    headings = (
        "way",
        "rows",
        "s",
        "likeness",
        "prompt",
        "face found",
        "likeness over 20 steps",
        "apart from it",
    )
    note = "Likeness on the fixed prompt, by the held-out embedder; prompt: share of words that nets read; "
    note += "apart: rms difference from the 20 steps of the same seed, of 255."
    return [Table("Few steps", note, headings, tuple(rows))]


def _sheet(people: Sequence[Person], portraits: Mapping[str, Sequence[Drawn]]) -> Sheet:
    shown = {person.number for person in people[:_SHOWN_PEOPLE]}
    rows = [
        Row(
            f"{way.title} ({way.rows} rows)",
            tuple(
                Cell(one.file)
                for one in portraits[way.key]
                if one.person in shown and one.index == 0 and one.prompt == FIXED
            ),
        )
        for way in WAYS
    ]
    file = write_sheet(REPORTS_FOLDER / REPORT / "ways.png", rows, side_px=176)
    return Sheet(file, "The same people and seeds by every way")
