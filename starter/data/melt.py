"""Faces as a bad generation leaves them: features warped, shifted, turned, taken from others or smeared.

Crops are uint8 RGB (S, S, 3) with dlib's box, enlarged by `starter.data.quality.BOX_SCALE`, as their square.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]
_FEATURES = ((0.36, 0.40), (0.64, 0.40), (0.5, 0.55), (0.5, 0.70))
"""Eyes, nose and mouth as shares of the crop's side; they only need to be hit roughly."""


def melt(image: Image, other: Image, strength: float, rng: np.random.Generator) -> Image:
    """`image` with one to three kinds of damage; `other` is the same crop of somebody else.

    strength: in [0, 1]; 0 changes nothing, from about .3 on everybody sees it.
    """
    out = image
    damages = (_warp, _misplace, _transplant, _smear)
    for index in rng.choice(len(damages), int(rng.integers(1, 4)), replace=False):
        out = damages[index](out, other, strength, rng)
    return out


def _warp(image: Image, _: Image, strength: float, rng: np.random.Generator) -> Image:
    """A smooth random displacement of up to 5 % of the side."""
    size = image.shape[0]
    knots = int(rng.integers(5, 12))
    field = rng.normal(0, 0.05 * size * strength, (2, knots, knots)).astype(np.float32)
    dx, dy = (cv2.resize(plane, (size, size), interpolation=cv2.INTER_CUBIC) for plane in field)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    return np.asarray(
        cv2.remap(image, x + dx, y + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def _misplace(image: Image, _: Image, strength: float, rng: np.random.Generator) -> Image:
    """One feature moved, turned and scaled: one eye higher, larger or aslant."""
    return _moved_patch(image, image, strength, rng)


def _transplant(image: Image, other: Image, strength: float, rng: np.random.Generator) -> Image:
    """One feature of another face, misplaced."""
    return _moved_patch(image, other, strength, rng)


def _moved_patch(image: Image, source: Image, strength: float, rng: np.random.Generator) -> Image:
    size = image.shape[0]
    centre = np.array(_FEATURES[rng.integers(len(_FEATURES))]) * size + rng.normal(0, 0.02 * size, 2)
    turn, zoom = rng.normal(0, 35) * strength, float(np.exp(rng.normal(0, 0.35) * strength))
    matrix = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), turn, zoom)
    direction = rng.uniform(0, 2 * np.pi)
    matrix[:, 2] += 0.13 * size * strength * np.array([np.cos(direction), np.sin(direction)])
    moved = cv2.warpAffine(source, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)
    return _mixed(
        image, np.asarray(moved, np.uint8), _spot(size, centre, rng.uniform(0.08, 0.16)), min(1, 2 * strength)
    )


def _smear(image: Image, _: Image, strength: float, rng: np.random.Generator) -> Image:
    """A region whose details have run into each other, as if painted over with a wet brush."""
    size = image.shape[0]
    centre = np.array(_FEATURES[rng.integers(len(_FEATURES))]) * size + rng.normal(0, 0.08 * size, 2)
    smooth = cv2.bilateralFilter(image, 9, 30 + 120 * strength, 1 + 8 * strength)
    smooth = cv2.GaussianBlur(smooth, (0, 0), 0.3 + 3.5 * strength)
    return _mixed(image, np.asarray(smooth, np.uint8), _spot(size, centre, rng.uniform(0.12, 0.3)), 1)


def _spot(size: int, centre: NDArray[np.float64], radius: float) -> Floats:
    """A soft ellipse, (size, size, 1) in [0, 1]."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    distance = np.hypot((x - centre[0]) / 1.2, y - centre[1]) / (radius * size)
    return np.asarray(np.clip((1.15 - distance) / 0.3, 0, 1)[..., None], np.float32)


def _mixed(image: Image, changed: Image, mask: Floats, share: float) -> Image:
    mix = image + share * mask * (changed.astype(np.float32) - image)
    return np.asarray(np.clip(mix + 0.5, 0, 255), np.uint8)
