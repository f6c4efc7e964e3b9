"""A calibrated gate for people: a table, and a picture of the two distributions behind it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from rich.table import Table

from shared.gates import Gate, Interval, OperatingPoint
from shared.gates.scores import Scores

SHOWN_REFERENCES = (1, 2, 3, 4, 5, 6, 7, 8)
WIDTH_PX, HEIGHT_PX, MARGIN_PX, BINS = 960, 420, 52, 60
STRANGERS, OWN, GATE, INK = (178, 58, 46), (32, 112, 72), (40, 60, 160), (70, 70, 76)


def gate_table(gate: Gate, rate: float) -> Table:
    """One row for each number of references: threshold and error rates at *rate*, with 95 % intervals."""
    table = Table(title=f"{gate.model}: at most {rate:g} of strangers", box=None, header_style="dim")
    for heading in ("references", "threshold", "strangers let in", "own turned away", ""):
        table.add_column(heading, justify="right")
    for count in SHOWN_REFERENCES:
        point = gate.for_(count, rate)
        note = "bound" if point.is_bound else ""
        table.add_row(str(count), f"{point.threshold:.3f}", accepts(point), rejects(point), note)
    return table


def accepts(point: OperatingPoint) -> str:
    """The false-accept rate in words."""
    return _share(point.false_accept_rate, point.false_accept_interval)


def rejects(point: OperatingPoint) -> str:
    """The false-reject rate in words."""
    return _share(point.false_reject_rate, point.false_reject_interval)


def _share(rate: float, interval: Interval) -> str:
    return f"{rate:.2%} ({interval[0]:.2%} .. {interval[1]:.2%})"


def draw_distributions(scores: Sequence[Scores], gate: Gate, rate: float, path: Path) -> None:
    """Write a PNG: for one and for the most references, how alike strangers and the own person are.

    Strangers are red, the own person's pictures are green, both as shares of their kind; the line is the
    gate.
    """
    shown = [one for one in scores if len(one.own)]
    panels = list(dict.fromkeys([shown[0].references, shown[-1].references]))
    image = Image.new("RGB", (WIDTH_PX, HEIGHT_PX * len(panels)), "white")
    for row, references in enumerate(panels):
        point = gate.for_(references, rate)
        _draw_panel(ImageDraw.Draw(image), row * HEIGHT_PX, scores[references - 1], point)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def _draw_panel(draw: ImageDraw.ImageDraw, top: int, scores: Scores, point: OperatingPoint) -> None:
    strangers = scores.strangers[np.isfinite(scores.strangers)]
    low, high = float(min(strangers.min(), scores.own.min())), 1.0
    heights = [_histogram(values, low, high) for values in (strangers, scores.own)]
    tallest = max(float(values.max()) for values in heights)
    base, room = top + HEIGHT_PX - MARGIN_PX, HEIGHT_PX - 2 * MARGIN_PX

    def x_of(value: float) -> float:
        return MARGIN_PX + (value - low) / (high - low) * (WIDTH_PX - 2 * MARGIN_PX)

    centres = low + (np.arange(BINS) + 0.5) * (high - low) / BINS
    for values, colour in zip(heights, (STRANGERS, OWN), strict=True):
        rises = base - room * values / tallest
        curve = [(x_of(float(x)), float(y)) for x, y in zip(centres, rises, strict=True)]
        draw.line(curve, fill=colour, width=3)
    draw.line([(MARGIN_PX, base), (WIDTH_PX - MARGIN_PX, base)], fill=INK)
    draw.line([(x_of(point.threshold), top + MARGIN_PX), (x_of(point.threshold), base)], fill=GATE, width=2)
    font = ImageFont.load_default(15)
    for value in np.linspace(low, high, 6):
        draw.text((x_of(float(value)) - 14, base + 8), f"{value:.2f}", fill=INK, font=font)
    words = f"best of {scores.references} reference(s): strangers red, own person green"
    draw.text((MARGIN_PX, top + 8), words, fill=INK, font=font)
    gate_words = f"gate {point.threshold:.3f}: {accepts(point)} of strangers in, {rejects(point)} of own away"
    draw.text((MARGIN_PX, top + 28), gate_words, fill=GATE, font=font)


def _histogram(values: npt.NDArray[np.float32], low: float, high: float) -> npt.NDArray[np.float64]:
    counts, _ = np.histogram(values, bins=BINS, range=(low, high))
    shares: npt.NDArray[np.float64] = counts / max(len(values), 1)
    return shares
