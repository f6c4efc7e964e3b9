"""Eyebrows: a soft base shape under about 230 single strokes a side."""

from dataclasses import dataclass

import numpy as np

from starter.heads.arrays import Floats
from starter.heads.identity import Brows
from starter.heads.painting import canvas
from starter.heads.regions import face_pixels

FULL_STROKES = 230
BASE_Y = 7.57  # decimetres on the reference head


@dataclass(frozen=True)
class BrowCurve:
    """Centre line and half width along a brow, from the nose (t = 0) outwards (t = 1)."""

    t: Floats
    x: Floats
    y: Floats
    half_width: Floats


def brow_layer(brows: Brows, rng: np.random.Generator) -> Floats:
    """Coverage in [0, 1] of both brows."""
    curve = brow_curve(brows)
    layer = canvas.blank()
    for side in (-1, 1):
        base = canvas.blank()
        upper = face_pixels(side * curve.x, curve.y + curve.half_width * 0.55)
        lower = face_pixels(side * curve.x, curve.y - curve.half_width * 0.55)
        canvas.fill(base, np.concatenate([upper, lower[::-1]]), 0.8 * brows.density)
        layer = np.maximum(layer, canvas.blur(base, 2.6))
        _draw_strokes(layer, side, curve, int(FULL_STROKES * brows.density), rng)
    return layer


def brow_curve(brows: Brows) -> BrowCurve:
    """The curve of the brow on the viewer's right, on the reference head; the other is its mirror image."""
    t = np.linspace(0, 1, 24)
    arch = 0.042 * np.sin(np.pi * np.clip(t * 0.95, 0, 1) ** 1.3) * (1 + 0.6 * brows.arch)
    y = BASE_Y + 0.035 * brows.height + 0.022 * (1 - t) + arch
    y += 0.03 * brows.tilt * (t - 0.4) - 0.055 * t**3
    tail = np.where(t > 0.72, np.clip((1 - t) / 0.28, 0, 1) ** 0.7, 1)
    half_width = 0.078 * brows.thickness * (1 - 0.25 * t) * tail * np.clip(0.55 + t * 4, 0, 1)
    return BrowCurve(t, 0.11 + 0.45 * brows.length * t, y, half_width)


def _draw_strokes(layer: Floats, side: int, curve: BrowCurve, count: int, rng: np.random.Generator) -> None:
    t = np.sort(rng.random(count) ** 0.9)
    x, y, half_width = (np.interp(t, curve.t, values) for values in (curve.x, curve.y, curve.half_width))
    across = rng.uniform(-1, 1, count)
    # Hairs stand up beside the nose and lie along the brow at its tail.
    angle = np.radians(np.interp(t, [0, 0.3, 1], [80, 45, 5])) - across * 0.5
    length = 0.085 * rng.uniform(0.6, 1.2, count)
    x0 = x - 0.3 * length * np.cos(angle)
    y0 = y + across * half_width * 0.8 - 0.3 * length * np.sin(angle)
    starts = face_pixels(side * x0, y0)
    ends = face_pixels(side * (x0 + length * np.cos(angle)), y0 + length * np.sin(angle) * 0.8)
    for start, end, value in zip(starts, ends, rng.uniform(0.59, 1, count), strict=True):
        canvas.stroke(layer, start, end, float(value))
