"""Where should a person's adapter act: in every row, or in those that show the person alone?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from likeness.common.v1 import image_pb2
from likeness.diffusion.v1 import diffusion_pb2 as pb

from loadtests.adapters.drawn import Bench, Drawn, Kept
from loadtests.common.progress import Progress
from loadtests.common.sheets import Cell, Row, Sheet, write_sheet
from loadtests.common.tables import Table, figure
from loadtests.starter.methods import GUIDANCE, SAMPLER, STEPS
from loadtests.starter.people import Person
from loadtests.starter.prompts import FIXED
from loadtests.starter.training import carry_out, order
from shared.reports import REPORTS_FOLDER, Bar

REPORT = "eval-acting"
_SHOWN_PEOPLE = 6
Details = dict[str, Any]
Adapters = Mapping[int, image_pb2.ArtifactRef]


@dataclass(frozen=True)
class Act:
    """How a person's adapter takes part, beside the identity tokens.

    Attributes:
        key: name in the JSON report and on files.
        title: name in tables.
        has_adapter: whether it takes part at all.
        of_person: whether only rows that show the person use it.
        identity_scale: guidance towards the person; None: as towards the prompt.
        late_from: share of the steps before the person is added; None: from the first on.
    """

    key: str
    title: str
    has_adapter: bool = True
    of_person: bool = False
    identity_scale: float | None = None
    late_from: float | None = None

    def fill(self, adapters: Adapters, request: pb.GenerateRequest, person: Person) -> None:
        """Sets what this way needs in a request."""
        request.step_count, request.guidance_scale, request.sampler = STEPS, GUIDANCE, SAMPLER
        if self.has_adapter:
            request.adapters.add(artifact=adapters[person.number], weight=1.0, of_person=self.of_person)
        if self.identity_scale is not None:
            request.identity_guidance_scale = self.identity_scale
        if self.late_from is not None:
            request.late_injection.start_share = self.late_from


EVERYWHERE = Act("everywhere", "tokens, adapter in every row")
ACTS = (
    Act("tokens", "tokens alone", has_adapter=False),
    EVERYWHERE,
    Act("apart", "both in the person's rows", of_person=True),
    Act("apart_2", "both in the person's rows, at 2", of_person=True, identity_scale=2.0),
    Act("late", "tokens late, adapter in every row", late_from=0.2),
    Act("late_apart", "both late", of_person=True, late_from=0.2),
    Act("late_apart_2", "both late, at 2", of_person=True, identity_scale=2.0, late_from=0.2),
)
"""What is compared; the others are held against `EVERYWHERE`."""


def measure(bench: Bench, people: Sequence[Person]) -> tuple[Details, list[Sheet]]:
    """Trains everybody and draws them in every way; returns figures and a sheet.

    Raises: RuntimeError: a training failed.
    """
    templates = {p.number: p.character.template for p in people if p.character.template is not None}
    adapters = _train(bench, people)
    portraits: dict[str, list[Drawn]] = {}
    found: dict[str, Kept] = {}
    for act in ACTS:
        print(f"drawing: {act.title}", flush=True)
        portraits[act.key] = bench.draw(people, partial(act.fill, adapters))
        found[act.key] = bench.kept(portraits[act.key], templates)
    return {"people": len(people), "ways": figures_of(found)}, [_sheet(people, portraits)]


def _train(bench: Bench, people: Sequence[Person]) -> Adapters:
    progress = Progress("training an adapter of each person", len(people))
    found = {}
    for person in people:
        request = order(person, bench.drawings.model.digest)
        found[person.number] = carry_out(bench.services, request, lambda _done, _total: None)
        progress.advance()
    return found


def figures_of(found: Mapping[str, Kept]) -> Details:
    """Returns all figures of every way, and by how much it is better than the adapter in every row."""
    figures: Details = {}
    for act in ACTS:
        over = found[act.key].over(found[EVERYWHERE.key])
        figures[act.key] = {"title": act.title, **found[act.key].figures(), "over_everywhere": over}
    return figures


def bars_of(details: Details) -> list[Bar]:
    """Returns what must hold for a way to be better than the adapter in every row: lower ends."""
    bars = []
    for act in ACTS:
        if not act.of_person:
            continue
        for name, figure_ in details["ways"][act.key]["over_everywhere"].items():
            if figure_ is not None:
                bars.append(Bar(f"{act.title}: {name} gained, lower end", figure_["low"], 0.0, ">="))
    return bars


def tables_of(details: Details) -> list[Table]:
    """Returns the figures as a table."""
    rows = [
        (
            one["title"],
            figure(one["likeness"]),
            figure(one["adherence"], 2),
            figure(one["detected"], 2),
            figure(one["over_everywhere"]["likeness"]),
            figure(one["over_everywhere"]["adherence"], 1),
        )
        for one in details["ways"].values()
    ]
    headings = (
        "way",
        "likeness",
        "prompt",
        "face found",
        "likeness over every row",
        "prompt over it, points",
    )
    note = "Likeness on the fixed prompt, by the held-out embedder; prompt: share of words that nets read."
    return [Table("Where a person's adapter acts", note, headings, tuple(rows))]


def _sheet(people: Sequence[Person], portraits: Mapping[str, Sequence[Drawn]]) -> Sheet:
    shown = {person.number for person in people[:_SHOWN_PEOPLE]}
    # A prompt each, so that one sees what of the prompt is left.
    prompts = list(dict.fromkeys(one.prompt.name for one in portraits[EVERYWHERE.key] if one.prompt != FIXED))
    asked = {number: prompts[place % len(prompts)] for place, number in enumerate(sorted(shown))}
    rows = [
        Row(
            "a photo, and the prompt",
            tuple(Cell(p.character.photos[0], (asked[p.number],)) for p in people[:_SHOWN_PEOPLE]),
        )
    ]
    rows += [
        Row(
            act.title,
            tuple(
                Cell(one.file)
                for one in portraits[act.key]
                if one.index == 0 and asked.get(one.person) == one.prompt.name
            ),
        )
        for act in ACTS
    ]
    file = write_sheet(REPORTS_FOLDER / REPORT / "ways.png", rows, side_px=176)
    return Sheet(file, "The same people, prompts and seeds in every way")
