"""Does a training of one photo profit from the common face? Equal steps from it and from no effect."""

from collections.abc import Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import Any

import numpy as np
from likeness.common.v1 import image_pb2
from likeness.diffusion.v1 import diffusion_pb2 as pb

from loadtests.adapters.drawn import Bench, Drawn, Kept
from loadtests.common.judge import Floats, unit
from loadtests.common.progress import Progress
from loadtests.common.sheets import Cell, Row, Sheet, write_sheet
from loadtests.common.tables import Table, figure
from loadtests.starter.methods import GUIDANCE, STEPS
from loadtests.starter.methods import SAMPLER as PLAIN_SAMPLER
from loadtests.starter.people import Person
from loadtests.starter.prompts import FIXED
from loadtests.starter.training import carry_out, order
from shared.reports import REPORTS_FOLDER, Bar
from starter.train.common_face import NAME

REPORT = "eval-common-face"
ZERO = "zero"
_SHOWN_PEOPLE = 6
Details = dict[str, Any]
Adapters = Mapping[int, image_pb2.ArtifactRef]


def measure(
    bench: Bench, people: Sequence[Person], step_counts: Sequence[int]
) -> tuple[Details, list[Sheet]]:
    """Trains everybody from either start for each number of steps; returns figures and a sheet.

    Raises: grpc.RpcError: the model has no such adapter, or it does not fit. RuntimeError: a training failed.
    """
    templates = {person.number: template_of_probes(person) for person in people}
    portraits: dict[str, list[Drawn]] = {}
    found: dict[str, Kept] = {}
    for steps in step_counts:
        for start in (ZERO, NAME):
            key = f"{start}-{steps}"
            adapters = _train(bench, people, "" if start == ZERO else NAME, steps)
            portraits[key] = bench.draw(people, partial(_fill, adapters))
            found[key] = bench.kept(portraits[key], templates)
    portraits["untrained"] = bench.draw(people, partial(_fill, {}))
    found["untrained"] = bench.kept(portraits["untrained"], templates)
    details = {"people": len(people), "steps": list(step_counts), "starts": figures_of(found, step_counts)}
    return details, [_sheet(people, portraits)]


def template_of_probes(person: Person) -> Floats:
    """Returns the judge's mean embedding of the photos that the training does not see.

    Raises: ValueError if it saw a face in none of them.
    """
    vectors = [look.vector for look in person.character.probes if look.vector is not None]
    if not vectors:
        raise ValueError(f"no face in any further photo of person {person.number}")
    return unit(np.mean(vectors, axis=0))


def figures_of(found: Mapping[str, Kept], step_counts: Sequence[int]) -> Details:
    """Returns all figures of every start and number of steps, and by how much the common face is better."""
    figures: Details = {key: found[key].figures() for key in found}
    for steps in step_counts:
        figures[f"{NAME}-{steps}"]["over_zero"] = found[f"{NAME}-{steps}"].over(found[f"{ZERO}-{steps}"])
    return figures


def _train(bench: Bench, people: Sequence[Person], start: str, steps: int) -> Adapters:
    progress = Progress(f"training {steps} steps from {start or 'no effect'}", len(people))
    found = {}
    for person in people:
        request = order(person, bench.drawings.model.digest)
        request.options.step_count, request.options.initial_adapter = steps, start
        request.request_id = ""
        digest = sha256(bench.drawings.model.digest.encode() + request.SerializeToString(deterministic=True))
        request.request_id = f"eval-common-face-{digest.hexdigest()[:40]}"
        found[person.number] = carry_out(bench.services, request, lambda _done, _total: None)
        progress.advance()
    return found


def _fill(adapters: Adapters, request: pb.GenerateRequest, person: Person) -> None:
    request.step_count, request.guidance_scale, request.sampler = STEPS, GUIDANCE, PLAIN_SAMPLER
    if person.number in adapters:
        request.adapters.add(artifact=adapters[person.number], weight=1.0)


def bars_of(details: Details) -> list[Bar]:
    """Returns what must hold for trainings of one photo to start from the common face by default."""
    bars = []
    for steps in details["steps"]:
        gain = details["starts"][f"{NAME}-{steps}"]["over_zero"]["likeness"]
        if gain is not None:
            # The lower end: a default is not changed for what may be chance.
            bars.append(Bar(f"likeness gained, {steps} steps, lower end", gain["low"], 0.0, ">="))
    return bars


def tables_of(details: Details) -> list[Table]:
    """Returns the figures as a table."""
    rows = [
        (
            key,
            figure(one["likeness"]),
            figure(one["adherence"], 2),
            figure(one["detected"], 2),
            figure(one["over_zero"]["likeness"]) if "over_zero" in one else "",
        )
        for key, one in details["starts"].items()
    ]
    headings = ("start and steps", "likeness", "prompt", "face found", "likeness over zero")
    note = "Likeness to photos that were not trained on, fixed prompt, by the held-out embedder."
    return [Table("Trainings of one photo", note, headings, tuple(rows))]


def _sheet(people: Sequence[Person], portraits: Mapping[str, Sequence[Drawn]]) -> Sheet:
    shown = people[:_SHOWN_PEOPLE]
    photos = Row("the photo", tuple(Cell(person.character.photos[0]) for person in shown))
    numbers = {person.number for person in shown}
    rows = [
        Row(
            key,
            tuple(
                Cell(one.file)
                for one in drawn
                if one.person in numbers and one.index == 0 and one.prompt == FIXED
            ),
        )
        for key, drawn in portraits.items()
    ]
    file = write_sheet(REPORTS_FOLDER / REPORT / "starts.png", [photos, *rows], side_px=176)
    return Sheet(file, "The same people and seeds from either start")
