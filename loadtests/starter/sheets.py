"""Which pictures the report shows: people by method and prompt, photographs, and the worst of everything."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from loadtests.common.judge import Floats
from loadtests.common.sheets import BAD, GOOD, Cell, Row, Sheet, write_sheet
from loadtests.starter.measured import Measured
from loadtests.starter.measures.reconstruction import Reconstructions
from loadtests.starter.methods import Method
from loadtests.starter.photographs import SHOWN, Shown
from loadtests.starter.portraits import Shot
from loadtests.starter.prompts import FIXED, Prompt
from starter.data.portraits import read_rgb

PEOPLE, COLUMNS, WORST = 4, 11, 10
_LETTERS = 24
"""What fits under a picture of 140 px."""


def grids(
    measured: Measured, methods: Sequence[Method], prompts: Sequence[Prompt], folder: Path
) -> list[Sheet]:
    """Draws the page of an art director: for a few people, rows are methods, columns prompts."""
    numbers = sorted({shot.person for shot in measured.shots})
    # People of whom an adapter was trained have one row more to compare: they come first.
    numbers.sort(key=lambda number: -len({s.slot.method.key for s in measured.shots if s.person == number}))
    sheets = []
    for number in numbers[:PEOPLE]:
        for part, start in enumerate(range(0, len(prompts), COLUMNS), start=1):
            shown = prompts[start : start + COLUMNS]
            rows = [_grid_row(measured, number, method, shown) for method in methods]
            file = write_sheet(
                folder / f"grid-{number}-{part}.png", [r for r in rows if r.cells], side_px=150
            )
            who = measured.character(number).who
            caption = f"Person {number}, {who}: rows are methods, columns prompts, all of the same seed"
            sheets.append(Sheet(file, caption))
    return sheets


def _grid_row(measured: Measured, number: int, method: Method, prompts: Sequence[Prompt]) -> Row:
    shots = {s.slot.prompt.name: s for s in measured.of(method) if s.person == number and s.slot.index == 0}
    cells = [_verdict(shots[one.name], measured) for one in prompts if one.name in shots]
    if not cells:
        return Row(method.title, ())
    return Row(method.title, (Cell(_reference(measured, number), ("reference",)), *cells))


def _verdict(shot: Shot, measured: Measured) -> Cell:
    """A portrait with what is and is not as its prompt asks; framed where a net could tell."""
    missed = _missed(shot, measured)
    asked = [name for name in shot.slot.prompt.expected if name in measured.readable]
    lines = (shot.slot.prompt.words[:_LETTERS], f"not {', '.join(missed)}"[:_LETTERS] if missed else "")
    return Cell(shot.file, lines, None if not asked else BAD if missed else GOOD)


def _missed(shot: Shot, measured: Measured) -> list[str]:
    return [
        f"{word} ({shot.look.words.get(name, 'no face')})"
        for name, word in shot.slot.prompt.expected.items()
        if name in measured.readable and shot.look.words.get(name) != word
    ]


def likenesses(measured: Measured, methods: Sequence[Method], folder: Path) -> list[Sheet]:
    """Draws each person's reference beside the portraits from the fixed prompt."""
    rows = []
    for number in sorted({shot.person for shot in measured.shots}):
        cells = [Cell(_reference(measured, number), ("reference",))]
        for method in methods:
            own = [s for s in measured.of(method, FIXED.name) if s.person == number]
            cells += [Cell(s.file, (method.title[:22], _similarity(s, measured))) for s in own[:2]]
        rows.append(Row(f"person {number}, {measured.character(number).who}", tuple(cells)))
    return [
        Sheet(
            write_sheet(folder / f"likeness-{part}.png", rows[start : start + 10], side_px=140),
            "The fixed prompt by every method; the figure is the similarity by the held-out embedder",
        )
        for part, start in enumerate(range(0, len(rows), 10), start=1)
    ]


def worst(measured: Measured, methods: Sequence[Method], folder: Path) -> list[Sheet]:
    """Draws the least like, the least obedient, and all without a face."""
    kinds: tuple[tuple[str, str, Callable[[Shot], float | None]], ...] = (
        (
            "worst-likeness",
            "Portraits that are least like their person, any prompt",
            lambda s: similarity(s, measured),
        ),
        (
            "worst-adherence",
            "Portraits that miss most of what was asked for",
            lambda s: -float(len(_missed(s, measured))) or None,
        ),
        ("no-face", "Portraits without a face", lambda s: 0.0 if s.look.faces == 0 else None),
    )
    sheets = []
    for name, caption, value in kinds:
        is_likeness = name == "worst-likeness"
        rows = [
            _worst_row(measured, method, value, with_reference=is_likeness)
            for method in methods
            if method.has_identity or not is_likeness
        ]
        known = [row for row in rows if row.cells]
        if known:
            sheets.append(Sheet(write_sheet(folder / f"{name}.png", known, side_px=140), caption))
    return sheets


def _worst_row(
    measured: Measured, method: Method, value: Callable[[Shot], float | None], *, with_reference: bool
) -> Row:
    # Text to image draws one picture for many people: each is shown once.
    shots = {shot.file: shot for shot in measured.of(method)}.values()
    found = [(number, shot) for shot in shots if (number := value(shot)) is not None]
    cells = []
    for _, shot in sorted(found, key=lambda pair: pair[0])[: WORST // (1 + with_reference)]:
        missed = ", ".join(_missed(shot, measured))
        lines = (_similarity(shot, measured), shot.slot.prompt.words[:_LETTERS], missed[:_LETTERS])
        if with_reference:
            cells.append(Cell(_reference(measured, shot.person), (f"person {shot.person}",)))
        cells.append(Cell(shot.file, lines))
    return Row(method.title, tuple(cells))


def photographs(shown: Iterable[Shown], folder: Path) -> list[Sheet]:
    """Draws each photograph beside the portraits made of it."""
    rows = []
    for one in shown:
        if one.picture is None:
            continue
        cells = [Cell(one.picture, (one.photograph.name, *_lines(one.read)))]
        for method, made in one.portraits.items():
            cells += [
                Cell(file, (method, *_lines(look.words)) if look.faces else (method, "no face"))
                for file, look in made
            ]
        rows.append(Row((one.problem or f"{one.photograph.credit}: {one.prompt}")[:110], tuple(cells)))
    if not rows:
        return []
    caption = "Photographs in, characters out: what the attribute net reads of each (shown, not scored)"
    return [Sheet(write_sheet(folder / "photographs.png", rows, side_px=170), caption)]


def reconstructions(found: Reconstructions, folder: Path) -> list[Sheet]:
    """Draws the renders whose eyes the autoencoder hurts most, above what it makes of them."""
    import cv2

    folder.mkdir(parents=True, exist_ok=True)
    rows: tuple[list[Cell], list[Cell]] = ([], [])
    for place, (sample, after, eyes_db) in enumerate(sorted(found.pictures, key=lambda one: one[2])[:8]):
        left, right = sample.landmarks_px["left_eye"], sample.landmarks_px["right_eye"]
        reach = 1.3 * abs(right[0] - left[0])
        x, y = (left[0] + right[0]) / 2, (left[1] + right[1]) / 2 + 0.35 * reach
        for row, picture, words in zip(
            rows, (read_rgb(sample), after), ("render", "after the autoencoder"), strict=True
        ):
            top, edge = max(0, round(y - reach)), max(0, round(x - reach))
            part = picture[top : round(y + reach), edge : round(x + reach)]
            file = folder / f"vae-{place}-{words.split()[0]}.png"
            cv2.imwrite(str(file), part[:, :, ::-1])
            row.append(Cell(file, (f"{words}", f"eyes {eyes_db:.1f} dB")))
    if not rows[0]:
        return []
    sheet = write_sheet(
        folder / "autoencoder.png",
        [Row("renders", tuple(rows[0])), Row("reconstructions", tuple(rows[1]))],
        side_px=170,
    )
    return [Sheet(sheet, "Faces whose eyes the autoencoder hurts most")]


def similarity(shot: Shot, measured: Measured) -> float | None:
    """Returns the similarity of a portrait to its person; None without a face."""
    vector, template = shot.look.vector, measured.character(shot.person).template
    return None if vector is None or template is None else _cosine(vector, template)


def _cosine(one: Floats, other: Floats) -> float:
    return float(one @ other)


def _similarity(shot: Shot, measured: Measured) -> str:
    value = similarity(shot, measured)
    return "no face" if value is None else f"similarity {value:.2f}"


def _reference(measured: Measured, number: int) -> Path:
    return measured.character(number).photos[0]


def _lines(words: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"{name.replace('_', ' ')}: {words.get(name, '?')}" for name in SHOWN)
