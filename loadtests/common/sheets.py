"""Contact sheets: pictures in rows with what was measured below them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

_MARGIN, _GAP, _LINE, _TITLE = 12, 8, 15, 20
_INK, _QUIET, _PAPER = "#1d1d1f", "#6e6e73", "#fafafa"
GOOD, BAD = "#1b7f3b", "#b3261e"


@dataclass(frozen=True)
class Cell:
    """One picture: its file (empty place where None), lines of text below it, the colour of its frame."""

    file: Path | None
    lines: tuple[str, ...] = ()
    frame: str | None = None


@dataclass(frozen=True)
class Row:
    """Pictures beside each other, and what stands above them."""

    title: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Sheet:
    """A contact sheet and what it shows."""

    file: Path
    caption: str


def write_sheet(path: Path, rows: Sequence[Row], *, side_px: int = 184) -> Path:
    """Draws the rows below each other as a PNG file and returns its path.

    Raises: ValueError without rows.
    """
    if not rows:
        raise ValueError(f"nothing to show in {path}")
    columns = max(len(row.cells) for row in rows)
    lines = max((len(cell.lines) for row in rows for cell in row.cells), default=0)
    height = _TITLE + side_px + lines * _LINE + _GAP
    size = (2 * _MARGIN + columns * (side_px + _GAP) - _GAP, 2 * _MARGIN + len(rows) * height)
    sheet = Image.new("RGB", size, _PAPER)
    for position, row in enumerate(rows):
        _draw_row(sheet, row, _MARGIN + position * height, side_px)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, optimize=True)
    return path


def _draw_row(sheet: Image.Image, row: Row, top: int, side_px: int) -> None:
    pen = ImageDraw.Draw(sheet)
    pen.text((_MARGIN, top), row.title, _INK, _font(13))
    for position, cell in enumerate(row.cells):
        left, upper = _MARGIN + position * (side_px + _GAP), top + _TITLE
        if cell.file is not None:
            with Image.open(cell.file) as picture:
                shown = picture.convert("RGB").resize((side_px, side_px), Image.Resampling.LANCZOS)
            sheet.paste(shown, (left, upper))
        if cell.frame is not None:
            pen.rectangle((left, upper, left + side_px - 1, upper + side_px - 1), outline=cell.frame, width=3)
        for number, line in enumerate(cell.lines):
            colour = _INK if number == 0 else _QUIET
            pen.text((left, upper + side_px + 1 + number * _LINE), line, colour, _font(11))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
