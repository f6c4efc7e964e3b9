"""Lines of age: forehead, frown, crow's feet, under the eyes, nose to mouth, mouth corners, neck.

Every family of lines appears from its own strength on, so that middle age shows some and old age all.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from starter.heads.arrays import Floats
from starter.heads.painting import canvas
from starter.heads.regions import face_pixels

RELIEF = 7.0  # slope of a full crease, in the units of the texture


@dataclass(frozen=True)
class _Line:
    """x, y: of one side on the reference head (mirrored unless `is_middle`); width in texels of the map."""

    x: Floats
    y: Floats
    width: float
    depth: float
    appears: float
    is_middle: bool = False


def wrinkle_layers(strength: float, seed: int) -> tuple[Floats, Floats, Floats]:
    """Slope across, slope up (0.5 is flat) and darkness of the creases, each in [0, 1]."""
    creases = canvas.blank()
    rng = np.random.default_rng([seed, 55])
    for line in _lines(rng):
        depth = line.depth * float(np.clip((strength - line.appears) / 0.45, 0, 1))
        if depth <= 0.02:
            continue
        for side in (1,) if line.is_middle else (-1, 1):
            wobble = 0.005 * np.sin(np.linspace(0, 5, len(line.x)) + rng.uniform(0, 6))
            layer = canvas.blank()
            points = face_pixels(side * line.x, line.y + wobble)
            _draw(layer, points, depth, line.width)
            creases = np.maximum(creases, layer)
    soft, broad = canvas.blur(creases, 1.8), canvas.blur(creases, 5.0)
    height = -(0.7 * soft + 0.9 * broad)
    across = np.asarray(cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3)) / 8
    up = -np.asarray(cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3)) / 8
    return 0.5 + across * RELIEF / 2, 0.5 + up * RELIEF / 2, 0.6 * soft + 0.4 * broad


def _draw(layer: Floats, points: Floats, depth: float, width: float) -> None:
    """A line that fades in and out, thickest in the middle."""
    t = np.linspace(0, 1, len(points))
    fade = np.sin(np.pi * np.clip(t, 0.04, 0.96)) ** 0.6
    for start, end, value in zip(points[:-1], points[1:], fade, strict=False):
        canvas.stroke(layer, start, end, depth * float(value), max(1, round(width * float(value))))


def _lines(rng: np.random.Generator) -> Iterator[_Line]:
    t = np.linspace(0, 1, 22)
    for row, y in enumerate((7.72, 7.82, 7.91)):
        half = 0.46 - 0.05 * row + rng.normal(0, 0.03)
        x = (t * 2 - 1) * half
        bow = 0.03 * np.cos(x * 4) + 0.012 * np.sin(x * 11 + rng.uniform(0, 6))
        yield _Line(x, y + bow + rng.normal(0, 0.01), 3, 0.85 - 0.1 * row, 0.12 + 0.08 * row, is_middle=True)
    yield _Line(0.05 + 0.02 * t, 7.47 + 0.14 * t, 3, 0.7, 0.3)
    for row, tilt in enumerate((0.12, 0.02, -0.09)):
        yield _Line(0.50 + 0.12 * t, 7.29 + tilt * (0.3 + t), 2, 0.75, 0.15 + 0.06 * row)
    bag = np.sin(np.pi * t)
    yield _Line(0.17 + 0.26 * t, 7.19 - 0.055 * bag - 0.01 * t, 3, 0.6, 0.05)
    yield _Line(0.19 + 0.22 * t, 7.12 - 0.06 * bag, 3, 0.45, 0.4)
    yield _Line(0.185 + 0.15 * t**0.8, 6.93 - 0.29 * t, 4, 0.9, 0.0)
    yield _Line(0.285 + 0.03 * t, 6.57 - 0.17 * t, 3, 0.6, 0.35)
    for place in (-0.12, -0.04, 0.04, 0.12):
        yield _Line(np.full(8, place), np.linspace(6.73, 6.80, 8), 2, 0.4, 0.55, is_middle=True)
