"""Renders whose faces are spoiled to a known degree."""

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from starter.data.degrade import DEGRADATIONS
from starter.data.manifest import Sample
from starter.data.melt import melt
from starter.data.portraits import read_rgb
from starter.data.quality import BOX_SCALE

Image = NDArray[np.uint8]
Spoil = Callable[[Sample, Sample, np.random.Generator], Image]
"""A picture, another that may give parts of its face, and where chance comes from."""


def melted(strength: float) -> Spoil:
    """Returns what warps, moves, exchanges or smears features, by a strength in [0, 1]."""

    def spoil(sample: Sample, other: Sample, rng: np.random.Generator) -> Image:
        image = read_rgb(sample)
        left, top, side = _square(sample)
        padded = _padded(image, side)
        window = np.s_[top + side : top + 2 * side, left + side : left + 2 * side]
        donor_left, donor_top, donor_side = _square(other)
        donor = _padded(read_rgb(other), donor_side)[
            donor_top + donor_side : donor_top + 2 * donor_side,
            donor_left + donor_side : donor_left + 2 * donor_side,
        ]
        donor = np.asarray(cv2.resize(donor, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
        padded[window] = melt(np.ascontiguousarray(padded[window]), donor, strength, rng)
        return np.ascontiguousarray(padded[side:-side, side:-side])

    return spoil


def degraded(kind: str) -> Spoil:
    """Returns what spoils the whole picture in one way of `starter.data.degrade`, to its full strength."""
    return lambda sample, _, rng: DEGRADATIONS[kind](read_rgb(sample), 1.0, rng)


SPOILS: Mapping[str, Spoil] = {
    "clean": lambda sample, _, __: read_rgb(sample),
    **{f"melted, {strength:g}": melted(strength) for strength in (0.3, 0.5, 0.75, 1.0)},
    **{kind: degraded(kind) for kind in ("blur", "noise", "exposure")},
}


def _square(sample: Sample) -> tuple[int, int, int]:
    """Left, top and side of the square of a face that is spoiled."""
    x0, y0, x1, y1 = sample.box_px
    side = round(BOX_SCALE * ((x1 - x0) + (y1 - y0)) / 2)
    return round((x0 + x1 - side) / 2), round((y0 + y1 - side) / 2), side


def _padded(image: Image, rim: int) -> Image:
    edges = (rim, rim, rim, rim)
    return np.asarray(cv2.copyMakeBorder(image, *edges, cv2.BORDER_REPLICATE), np.uint8)
