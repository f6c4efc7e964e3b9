"""Which pictures the report shows: every person's winner, the worst by each measure, the ranked strips."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from loadtests.common.sheets import BAD, GOOD, Cell, Row, Sheet, write_sheet
from loadtests.fusion.figures import Result, Results
from loadtests.fusion.rank_figures import picked, similarities_of
from loadtests.fusion.scale import Scale

WORST = 10
PEOPLE_PER_SHEET = 10
_STAGES = ("candidate", "fused", "restored", "enhanced")
_TITLES = {"restored": "+ texture + marks"}


def draw(results: Results, scale: Scale, folder: Path) -> list[Sheet]:
    """Draws all sheets into *folder*."""
    sheets = []
    for part, numbers in enumerate(_parts(sorted(results)), start=1):
        rows = [way_row(scale, results[n], picked(results[n], _order(results[n]))) for n in numbers]
        known = [row for row in rows if row is not None]
        if known:
            file = write_sheet(folder / f"winners-{part}.png", known)
            sheets.append(
                Sheet(file, "The first of each person's ranking, from candidate to finished portrait.")
            )
    for what, caption in (
        ("similarity", "where fusion changes the likeness least, or for the worse"),
        ("quality", "where fusion costs most quality"),
    ):
        rows = [way_row(scale, results[number], index) for number, index in worst(results, what)]
        known = [row for row in rows if row is not None]
        if known:
            file = write_sheet(folder / f"worst-{what}.png", known)
            sheets.append(
                Sheet(file, f"The {len(known)} candidates {caption}, whether it was kept or undone.")
            )
    for part, numbers in enumerate(_parts(sorted(results)), start=1):
        rows_of = [strip_row(scale, results[number]) for number in numbers]
        file = write_sheet(folder / f"ranked-{part}.png", rows_of, side_px=92)
        caption = (
            "All candidates of each person in the order of our score: green passed the gate, red did not. "
            "The figure is the similarity by the judge; FC is FaceChain's first, * the best by the judge."
        )
        sheets.append(Sheet(file, caption))
    return sheets


def worst(results: Results, what: str) -> list[tuple[int, int]]:
    """Returns person and index of the candidates whose measure fusion changed least, the worst first."""
    changes = []
    for number, result in results.items():
        for row in result["candidates"]:
            before, after = (row["looks"].get(name, {}).get(what) for name in ("candidate", "fused"))
            has_result = any(step["step"] == "fuse" and step["after"] for step in row["steps"])
            if before is not None and after is not None and has_result:
                changes.append((after - before, number, row["index"]))
    return [(number, index) for _, number, index in sorted(changes)[:WORST]]


def way_row(scale: Scale, result: Result, index: int | None) -> Row | None:
    """Returns reference, candidate, fused, restored, enhanced of one candidate; None where it is None."""
    if index is None:
        return None
    folder = scale.person_folder(result["number"])
    row = next(one for one in result["candidates"] if one["index"] == index)
    cells = [Cell(folder / "reference-0.jpg", ("reference",))]
    for stage in _STAGES:
        look = row["looks"][stage]
        cells.append(Cell(folder / f"{index:02d}-{stage}.jpg", (_TITLES.get(stage, stage), _measures(look))))
    title = f"person {result['number']}, candidate {index}"
    undone = [f"{step['step']}: {step['problem']}" for step in row["steps"] if step["problem"]]
    if undone:
        title += "   undone: " + "; ".join(undone)
    return Row(title[:150], tuple(cells))


def strip_row(scale: Scale, result: Result) -> Row:
    """Returns all candidates in the order of our score, the person's first reference before them."""
    folder, known = scale.person_folder(result["number"]), similarities_of(result)
    theirs = picked(result, result["ranking"]["facechain"])
    best = max(known, key=lambda index: known[index], default=None)
    cells = [Cell(folder / "reference-0.jpg", ("reference",))]
    for place, verdict in enumerate(result["ranking"]["ours"], start=1):
        index = verdict["index"]
        value = f"{known[index]:.3f}" if index in known else "no face"
        notes = f"{' FC' if index == theirs else ''}{' *' if index == best else ''}"
        lines = (f"{place}. {value}{notes}", _short(verdict["rejection"]))
        frame = GOOD if verdict["rank"] > 0 else BAD
        cells.append(Cell(folder / f"{index:02d}-enhanced.jpg", lines, frame))
    return Row(f"person {result['number']}", tuple(cells))


def _measures(look: Mapping[str, Any]) -> str:
    if look["similarity"] is None:
        return "no single face"
    return f"similarity {look['similarity']:.3f}  quality {look['quality']:.2f}"


def _short(reason: str) -> str:
    """A refusal's reason in words that fit under a small picture."""
    return reason.removeprefix("BELOW_IDENTITY_").lower().replace("_", " ")[:16]


def _order(result: Result) -> list[int]:
    return [verdict["index"] for verdict in result["ranking"]["ours"]]


def _parts(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), PEOPLE_PER_SHEET):
        yield numbers[start : start + PEOPLE_PER_SHEET]
