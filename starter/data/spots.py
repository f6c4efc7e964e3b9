"""Spots on the skin of a crop: whether a picture shows them, and more of them painted on."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from starter.data.cropping import Image
from starter.data.parts import Part

LEAST_CONTRAST = 2.5
"""Lightness (of 0 to 100) by which a mark must be darker than the skin around it to count."""
_LEAST_OF_DEVIATION = 0.6  # and by which share of the deviation of that skin


@dataclass(frozen=True)
class Spots:
    """Marks (N,) of one crop: kind number, place (N, 2) and radius (N,) in pixels of the crop.

    shown: whether the picture shows the mark. The renderer knows of freckles that are lost in the grain of
    the skin; those are neither asked for nor counted as invented.
    """

    kinds: NDArray[np.int64]
    places: NDArray[np.float32]
    radii: NDArray[np.float32]
    shown: NDArray[np.bool_]


def is_shown(light: NDArray[np.float32], place: tuple[float, float], radius: float) -> bool:
    """Whether a disc of `light` (H, W), CIELAB's L, is darker than the ring around it; pixels."""
    reach = int(np.ceil(2 * radius + 2.2))
    column, row = int(place[0]), int(place[1])
    y0, x0 = max(0, row - reach), max(0, column - reach)
    patch = light[y0 : row + reach + 1, x0 : column + reach + 1]
    y, x = np.mgrid[y0 : y0 + patch.shape[0], x0 : x0 + patch.shape[1]] + 0.5
    distance = np.hypot(x - place[0], y - place[1])
    core, ring = patch[distance <= max(radius, 0.8)], patch[(distance > radius + 1.2) & (distance <= reach)]
    if not core.size or ring.size < 8:
        return False
    contrast = float(np.median(ring) - core.mean())
    return contrast >= max(LEAST_CONTRAST, _LEAST_OF_DEVIATION * float(ring.std()))


def with_more_moles(
    image: Image, spots: Spots, parts: Image, rng: np.random.Generator
) -> tuple[Image, Spots]:
    """One to six more moles where there is skin, of shapes and colours that the renderer does not draw."""
    skin = cv2.erode((parts == Part.SKIN).astype(np.uint8), np.ones((5, 5), np.uint8))
    free = np.argwhere(skin > 0)
    if len(free) < 500:
        return image, spots
    out = image.astype(np.float32)
    chosen = free[rng.choice(len(free), int(rng.integers(1, 7)), replace=False)]
    radii = rng.uniform(1.2, 3.2, len(chosen)).astype(np.float32)
    places = (chosen[:, ::-1] + rng.uniform(0, 1, (len(chosen), 2))).astype(np.float32)
    apart = [k for k, place in enumerate(places) if _is_apart(place, spots.places)]
    for k in apart:
        _paint_mole(out, places[k], float(radii[k]), rng)
    return np.asarray(np.clip(out + 0.5, 0, 255), np.uint8), Spots(
        np.concatenate([spots.kinds, np.zeros(len(apart), np.int64)]),
        np.concatenate([spots.places, places[apart]]),
        np.concatenate([spots.radii, radii[apart]]),
        np.concatenate([spots.shown, np.ones(len(apart), np.bool_)]),
    )


def _is_apart(place: NDArray[np.float32], others: NDArray[np.float32]) -> bool:
    return not len(others) or bool(np.hypot(*(others - place).T).min() > 6)


def _paint_mole(
    out: NDArray[np.float32], place: NDArray[np.float32], radius: float, rng: np.random.Generator
) -> None:
    y, x = np.mgrid[0 : out.shape[0], 0 : out.shape[1]].astype(np.float32) + 0.5
    dx, dy = (x - place[0]) * rng.uniform(0.8, 1.25), y - place[1]
    softness = rng.uniform(0.3, 0.9)
    share = np.clip((1 + softness - np.hypot(dx, dy) / radius) / (2 * softness), 0, 1)[..., None]
    tone = rng.uniform(0.3, 0.75) * np.array([1.0, rng.uniform(0.7, 1.0), rng.uniform(0.6, 1.0)])
    out += share * (out * tone - out)


def with_hairs(image: Image, rng: np.random.Generator) -> Image:
    """A few thin curves: dark and small like a mole, but none."""
    out = image.copy()
    for _ in range(rng.integers(1, 6)):
        start, bend = rng.uniform(0.1, 0.9, 2) * image.shape[0], rng.normal(0, 12, (2, 2))
        t = np.linspace(0, 1, 12)[:, None]
        curve = start + bend[0] * 4 * t + bend[1] * t**2
        colour = tuple(int(v) for v in rng.integers(10, 120) * rng.uniform(0.6, 1, 3))
        cv2.polylines(out, [np.round(curve * 8).astype(np.int32)], False, colour, 1, cv2.LINE_AA, 3)
    return out
