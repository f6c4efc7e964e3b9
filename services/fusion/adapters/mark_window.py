"""The skin around a mark in photos, on the pixels that the mark gets in a candidate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from services.fusion.adapters.opencv_blend import to_lab
from services.fusion.domain.exemplars import Exemplar, Stroke
from services.fusion.domain.face import FloatArray, Image

FINER = 3
"""Samples by pixel in each direction: marks are a pixel or two wide, their outline needs more."""
_SURE_DROP = 0.08
"""Drop of lightness, as a share of the skin's, from which the middle of a mark is sure."""
_DARKEST = 5.0
_FIT_STEPS = 2
_LEAST_NOISE = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A block of candidate pixels around a mark.

    Attributes:
        x0, y0: its first pixel. side: pixels each way.
        centre: of the mark, in pixels from the block's corner.
        radius_px: of the mark.
        distance: (S, S) float32: of each finer sample from the centre, in pixels.
    """

    x0: int
    y0: int
    side: int
    centre: tuple[float, float]
    radius_px: float
    distance: FloatArray

    @classmethod
    def around(cls, stroke: Stroke) -> Window:
        """Room for the mark, and for a ring of skin to compare it with."""
        placed = stroke.placed
        half = int(np.ceil(1.5 * placed.radius_px + 2.5))
        x0, y0, side = int(placed.x_px) - half, int(placed.y_px) - half, 2 * half + 1
        x, y = placed.x_px - x0, placed.y_px - y0
        at = (np.arange(side * FINER, dtype=np.float32) + 0.5) / FINER
        distance = np.hypot(at[None, :] - np.float32(x), at[:, None] - np.float32(y))
        return cls(x0, y0, side, (x, y), placed.radius_px, distance)


@dataclass(frozen=True, slots=True, eq=False)
class Drop:
    """How a mark differs from the skin around it, the mean over photos.

    Attributes:
        lightness: (S, S) float32: by which share of the skin's the lightness drops; lighter is negative.
        chroma: (S, S, 2) float32: by how much LAB a and b rise, over the skin's lightness.
        noise: deviation of *lightness* on the skin around the mark: grain, folds, other marks.
    """

    lightness: FloatArray
    chroma: FloatArray
    noise: float


def drop_in(photos: Mapping[int, Image], stroke: Stroke, window: Window) -> Drop:
    """The mean over the stroke's photos; one with even skin around the mark counts more."""
    seen = np.concatenate([_sampled(photos[e.photo], e, window) for e in stroke.exemplars])
    lab = to_lab(seen).reshape(len(stroke.exemplars), *window.distance.shape, 3)
    skin, noise = _skin(lab, window)
    change = (lab - skin) / np.maximum(skin[..., :1], _DARKEST)
    change[..., 0] *= -1
    if stroke.placed.mark.kind != "scar":
        change = np.stack([_centred(one, window) for one in change])
    weights = 1 / (noise + _LEAST_NOISE) ** 2
    weights = weights / weights.sum()
    mean = np.asarray(np.tensordot(weights, change, axes=1), np.float32)
    return Drop(mean[..., 0], mean[..., 1:], float(weights @ noise))


def _sampled(photo: Image, exemplar: Exemplar, window: Window) -> Image:
    """(S, S, 3) RGB of the photo at the window's finer samples, the two centres over each other."""
    linear = np.array(exemplar.linear).reshape(2, 2)
    first = 0.5 / FINER - np.array(window.centre)
    # Pixel k of a picture covers k to k + 1; OpenCV counts from its middle.
    origin = np.array([exemplar.x_px, exemplar.y_px]) - 0.5 + linear @ first
    side = window.side * FINER
    photo, matrix = _shrunk(photo, np.column_stack([linear / FINER, origin]), side)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    patch = cv2.warpAffine(photo, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(patch, np.uint8)


def _shrunk(photo: Image, matrix: Any, side: int) -> tuple[Image, Any]:
    """The photo around the window, averaged down where its samples would skip pixels, and its matrix."""
    factor = int(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if factor < 2:
        return photo, matrix
    corners = matrix[:, :2] @ np.array([[0, side, 0, side], [0, 0, side, side]]) + matrix[:, 2:]
    height, width = photo.shape[:2]
    x0, y0 = np.clip(np.floor(corners.min(1)).astype(int) - factor, 0, (width - 1, height - 1))
    x1, y1 = np.clip(np.ceil(corners.max(1)).astype(int) + factor, (x0 + 1, y0 + 1), (width, height))
    size = (max(1, (x1 - x0) // factor), max(1, (y1 - y0) // factor))
    scale = np.array([[size[0] / (x1 - x0)], [size[1] / (y1 - y0)]])
    moved = matrix.copy()
    moved[:, 2] += np.array([0.5 - x0, 0.5 - y0])
    moved *= scale
    moved[:, 2] -= 0.5
    return np.asarray(cv2.resize(photo[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA), np.uint8), moved


def _skin(lab: FloatArray, window: Window) -> tuple[FloatArray, FloatArray]:
    """The skin as it would be without the mark, (E, S, S, 3) of E photos, and its unevenness (E,).

    A plane through the ring around the mark, for its shading; fitted again to the part of the ring that is
    near it, as other marks and hair may lie there.
    """
    middle = slice(FINER // 2, None, FINER)
    rows, columns = np.nonzero(window.distance[middle, middle] > 1.4 * window.radius_px + 1.0)
    places = np.column_stack([np.ones(len(rows)), columns, rows]).astype(np.float32)
    values = lab[:, middle, middle][:, rows, columns]
    level = _median(values[..., 0])
    off = np.abs(values[..., 0] - level[:, None])
    for _ in range(_FIT_STEPS):
        near = (off <= 2.5 * np.maximum(_median(off)[:, None], 0.3)).astype(np.float32)
        weighted = near[..., None] * places
        system = weighted.transpose(0, 2, 1) @ places + 1e-3 * np.eye(3, dtype=np.float32)
        planes = np.linalg.solve(system, weighted.transpose(0, 2, 1) @ values)
        off = np.abs(values - places @ planes)[..., 0]
    at = (np.arange(lab.shape[1], dtype=np.float32) - FINER // 2) / FINER
    base, along, down = (planes[:, k, None, None, :] for k in range(3))
    skin = base + at[None, None, :, None] * along + at[None, :, None, None] * down
    noise = 1.48 * _median(off) / np.maximum(level, _DARKEST)
    return np.asarray(skin, np.float32), np.asarray(noise, np.float32)


def _median(values: FloatArray) -> FloatArray:
    """The upper median (E,) of each row; a third of the time that numpy's takes."""
    middle = values.shape[1] // 2
    return np.asarray(np.partition(values, middle, axis=1)[:, middle], np.float32)


def _centred(change: FloatArray, window: Window) -> FloatArray:
    """Moved so that the middle of the dark lies where the mark belongs: a finder is off by half a pixel."""
    strong = change[..., 0] * (window.distance <= window.radius_px + 1.5)
    if float(strong.max()) < _SURE_DROP:
        return change
    weight = np.maximum(strong - 0.5 * strong.max(), 0)
    at = (np.arange(len(change), dtype=np.float32) + 0.5) / FINER
    total = float(weight.sum())
    dx = window.centre[0] - float(weight.sum(0) @ at) / total
    dy = window.centre[1] - float(weight.sum(1) @ at) / total
    matrix = np.array([[1, 0, dx * FINER], [0, 1, dy * FINER]])
    moved = cv2.warpAffine(change, matrix, change.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)
