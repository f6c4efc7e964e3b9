"""Do the moles, freckles and scars of a person come back, in their place and colour?

Each person's portrait is drawn turned by up to 30 degrees, with marks and without. The one without goes
through the services with the person's photos; the one with them is the truth.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from likeness.fusion.v1 import fusion_pb2 as pb
from numpy.typing import NDArray
from PIL import Image

from loadtests.common.intervals import ratio_of_people
from loadtests.common.progress import Progress
from loadtests.common.services import CALL_TIMEOUT_S, Reader, Seen, Services
from loadtests.common.sheets import Cell, Row, write_sheet
from loadtests.fusion import mark_truth
from loadtests.fusion.chain import five_points_only
from loadtests.fusion.mark_pairs import Pair, draw_pairs
from loadtests.fusion.mark_truth import Restored
from loadtests.fusion.people import Person
from loadtests.fusion.scale import FIRST_PERSON, SEED
from shared.images import decode_image, encode_png
from shared.reports import REPORTS_FOLDER
from starter.data.manifest import Sample

COLOUR_OFF = 6.0
_MOST_ROWS = 10
_WIDE_YAW_DEG = 15.0
_GOALS = (
    ("marks found on photos, share", "detector recall", 0.85, ">="),
    ("found marks that are marks, share", "detector precision", 0.9, ">="),
    ("marks restored within 4 % of the distance between the pupils, share", "near", 0.8, ">="),
    ("placed marks within a colour difference of 6, share", "colour", 0.8, ">="),
    ("placed marks on what is no bare skin, share", "on cover", 0.02, "<="),
)


@dataclass
class _Tally:
    """Pairs (counted, of how many) of one person, by figure."""

    parts: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def add(self, name: str, counted: float, total: float) -> None:
        self.parts.setdefault(name, []).append((counted, total))


def measure(people: Sequence[Person], services: Services, reader: Reader, *, work: Path) -> dict[str, Any]:
    """Returns bars, figures with intervals over people, and sheets of pictures; draws into *work* at need.

    Raises: NoGraphicsError: see starter/heads.
    """
    tallies: dict[int, _Tally] = {}
    rows: list[Row] = []
    progress = Progress("restoring marks", len(people))
    for person in people:
        # Renders that were handed in are of the data set's own seed.
        seed = SEED if person.number >= FIRST_PERSON else 0
        for pair in draw_pairs(work, seed, [person.number]):
            tallies[person.number] = _one(person, pair, services, reader, work, rows)
        progress.advance(person.name)
    figures = {name: _estimate(name, tallies) for name in _NAMES}
    sheets = []
    if rows:
        path = write_sheet(REPORTS_FOLDER / "eval-fusion" / "marks.png", rows[:_MOST_ROWS], side_px=256)
        sheets = [{"file": str(path), "caption": _CAPTION}]
    bars = [
        {"name": title, "value": known["value"], "goal": goal, "op": op}
        for title, name, goal, op in _GOALS
        if (known := figures[name]) is not None
    ]
    return {
        "bars": bars,
        "figures": {_NAMES[name]: known for name, known in figures.items()},
        "sheets": sheets,
    }


def _one(
    person: Person, pair: Pair, services: Services, reader: Reader, work: Path, rows: list[Row]
) -> _Tally:
    """Restores one portrait, and the same by five landmarks for comparison."""
    tally = _Tally()
    references = reader.read([sample.image.read_bytes() for sample in person.references], marks=True)
    for sample, seen in zip(person.references, references, strict=True):
        _count_found(tally, sample, seen)
    bare = reader.read_one(pair.bare.read_bytes(), marks=True)
    usable = [seen for seen in references if seen.only is not None]
    if bare.only is None or not usable or not pair.sample.marks:
        return tally
    shown = [mark_truth.shown(sample) for sample in person.references]
    shown_in = [sum(column) for column in zip(*shown, strict=True)]
    answer = _restore(services, bare, usable)
    image = decode_image(answer.image.data, name="restored")
    outcomes = mark_truth.compare(pair, shown_in, list(answer.marks), image)
    _count_restored(tally, pair, outcomes, answer)
    flat = _restore(services, five_points_only(bare), [five_points_only(seen) for seen in usable])
    old = mark_truth.compare(pair, shown_in, list(flat.marks), decode_image(flat.image.data, name="flat"))
    due = [mark for mark in old if mark.shown_in >= 2 and mark.is_visible]
    tally.add("near by five landmarks", sum(mark.is_near for mark in due), len(due))
    if answer.marks:
        rows.append(_row(person, pair, image, outcomes, work))
    return tally


def _restore(services: Services, candidate: Seen, references: Sequence[Seen]) -> pb.RestoreMarksResponse:
    request = pb.RestoreMarksRequest(
        candidate=candidate.faced(), references=[seen.faced() for seen in references]
    )
    answer: pb.RestoreMarksResponse = services.fusion.RestoreMarks(request, timeout=CALL_TIMEOUT_S)
    return answer


def _count_found(tally: _Tally, sample: Sample, seen: Seen) -> None:
    if seen.only is None:
        return
    right, found, shown = mark_truth.found_in(sample, seen.only)
    tally.add("detector recall", right, shown)
    tally.add("detector precision", right, found)


def _count_restored(
    tally: _Tally, pair: Pair, outcomes: Sequence[Restored], answer: pb.RestoreMarksResponse
) -> None:
    due = [mark for mark in outcomes if mark.shown_in >= 2 and mark.is_visible]
    groups = {"near": due, "near, shown once": [m for m in outcomes if m.shown_in and m.is_visible]}
    groups |= {f"near, {kind}": [m for m in due if m.kind == kind] for kind in ("mole", "freckle", "scar")}
    if abs(pair.sample.yaw_deg) > _WIDE_YAW_DEG:
        groups["near, turned"] = due
    for name, marks in groups.items():
        tally.add(name, sum(mark.is_near for mark in marks), len(marks))
    placed = [mark for mark in outcomes if mark.off is not None]
    tally.add("near of placed", sum(mark.is_near for mark in placed), len(placed))
    off = [mark.colour_off for mark in placed if mark.colour_off is not None]
    tally.add("colour", sum(value <= COLOUR_OFF for value in off), len(off))
    tally.add("colour off", sum(off), len(off))
    tally.add("colour before", sum(mark.colour_before for mark in placed), len(placed))
    tally.add("on cover", mark_truth.on_cover(pair, list(answer.marks)), len(answer.marks))
    tally.add("strangers", mark_truth.strangers(pair, list(answer.marks)), len(answer.marks))


def _estimate(name: str, tallies: dict[int, _Tally]) -> dict[str, float | int] | None:
    parts = {number: tally.parts[name] for number, tally in tallies.items() if name in tally.parts}
    if not sum(total for known in parts.values() for _, total in known):
        return None
    return ratio_of_people(parts).as_json()


def _row(
    person: Person, pair: Pair, image: NDArray[np.uint8], outcomes: Sequence[Restored], work: Path
) -> Row:
    """Without marks, restored, and the truth: the face, enlarged."""
    due = [mark for mark in outcomes if mark.shown_in >= 2 and mark.is_visible]
    near = sum(mark.is_near for mark in due)
    folder = work / "shown" / person.name
    folder.mkdir(parents=True, exist_ok=True)
    cells = []
    for name, rgb in (("without", pair.bare_rgb), ("restored", image), ("truth", pair.truth_rgb)):
        (folder / f"{name}.png").write_bytes(encode_png(_face_of(rgb, pair)))
        cells.append(Cell(folder / f"{name}.png", (name,)))
    title = f"{person.name}, turned by {pair.sample.yaw_deg:.0f} degrees: {near} of {len(due)} in place"
    return Row(title, tuple(cells))


def _face_of(rgb: NDArray[np.uint8], pair: Pair) -> NDArray[np.uint8]:
    x0, y0, x1, y1 = pair.sample.box_px
    picture = Image.fromarray(rgb).crop((x0 - 8, y0 - 8, x1 + 8, y1 + 8))
    return np.asarray(picture.resize((512, 512), Image.Resampling.BICUBIC), np.uint8)


_NAMES = {
    "detector recall": "marks of the photos that are found, within 3 % of the distance between the pupils",
    "detector precision": "found marks that are marks",
    "near": "restored within 4 % of the distance between the pupils; of marks that two photos show",
    "near, mole": "the same, moles",
    "near, freckle": "the same, freckles",
    "near, scar": "the same, scars",
    "near, turned": "the same, portraits turned by more than 15 degrees",
    "near, shown once": "the same, of marks that one photo shows at least",
    "near of placed": "placed marks that are within 4 %",
    "near by five landmarks": "restored within 4 % by five landmarks alone, without structure",
    "colour": "placed marks within a colour difference (CIE76) of 6",
    "colour off": "colour difference of placed marks from the truth",
    "colour before": "colour difference of the bare skin from the mark",
    "on cover": "placed marks that lie on hair, glasses, brows or anything but bare skin",
    "strangers": "placed marks that the person does not have",
}
_CAPTION = "A portrait drawn without marks, with marks restored from photos, and drawn with them."
