"""Other backgrounds, so that the net learns to draw rooms and streets and not the studio's plain wall."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]

_FLOOD_TOLERANCE = 5


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """Where a pair's own background is: two (H, W) float32 masks in [0, 1]."""

    in_render: FloatArray
    in_drawing: FloatArray


def find_backdrop(render: Image, drawing: Image) -> Backdrop:
    """The studio wall of a pair.

    The drawn wall is almost flat and the figure has a dark outline: a flood from the upper corners finds it.
    The render has no outline, so its wall reaches closer to the figure: near the drawn wall, each pixel is
    compared with the wall's colour there.
    """
    height, width = drawing.shape[:2]
    mask = np.zeros((height + 2, width + 2), np.uint8)
    step = (_FLOOD_TOLERANCE,) * 3
    flags = 4 | cv2.FLOODFILL_MASK_ONLY | (1 << 8)
    smooth = np.asarray(cv2.medianBlur(drawing, 3), np.uint8)
    for seed in ((0, 0), (width - 1, 0)):
        cv2.floodFill(smooth, mask, seed, (0, 0, 0), step, step, flags)
    wall = mask[1:-1, 1:-1].astype(np.float32)
    weight = cv2.GaussianBlur(wall, (0, 0), 6.0)[..., None]
    colour = cv2.GaussianBlur(render * wall[..., None], (0, 0), 6.0) / np.maximum(weight, 1e-3)
    distance = np.abs(render - colour).max(-1)
    alike = np.clip((40.0 - distance) / 25.0, 0, 1) * cv2.dilate(wall, np.ones((9, 9), np.uint8))
    grown = cv2.dilate(wall, np.ones((3, 3), np.uint8))
    return Backdrop(
        np.asarray(np.maximum(alike, wall), np.float32),
        np.asarray(cv2.GaussianBlur(grown, (0, 0), 0.6), np.float32),
    )


def random_scene(rng: np.random.Generator, height: int, width: int) -> tuple[Image, Image]:
    """A scene of flat shapes: as a camera sees it, with shade, texture and blur, and as it is drawn."""
    drawn = np.empty((height, width, 3), np.uint8)
    drawn[:] = rng.integers(0, 256, 3)
    for _ in range(rng.integers(0, 9)):
        _add_shape(rng, drawn)
    shade = _smooth_noise(rng, height, width, rng.uniform(20, 90)) * rng.uniform(0, 16)
    texture = _smooth_noise(rng, height, width, rng.uniform(0.7, 3.0)) * rng.uniform(0, 10)
    seen = cv2.GaussianBlur(drawn, (0, 0), rng.uniform(0.3, 3.0)).astype(np.float32)
    seen += (shade + texture)[..., None]
    return np.asarray(np.clip(seen, 0, 255), np.uint8), drawn


def _add_shape(rng: np.random.Generator, canvas: Image) -> None:
    height, width = canvas.shape[:2]
    colour = tuple(int(v) for v in rng.integers(0, 256, 3))
    kind = rng.integers(3)
    if kind == 0:
        points = rng.integers(-40, max(height, width) + 40, (rng.integers(3, 6), 2)).astype(np.int32)
        cv2.fillPoly(canvas, [points], colour)
    elif kind == 1:
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        axes = (int(rng.integers(8, width // 2)), int(rng.integers(8, height // 2)))
        cv2.ellipse(canvas, centre, axes, float(rng.uniform(0, 180)), 0, 360, colour, -1)
    else:
        x, gap = int(rng.integers(4, 40)), int(rng.integers(8, 60))
        for left in range(int(rng.integers(gap)), width, x + gap):
            cv2.rectangle(canvas, (left, 0), (left + x, height), colour, -1)


def _smooth_noise(rng: np.random.Generator, height: int, width: int, sigma: float) -> FloatArray:
    """Gaussian noise of correlation length *sigma* px, in [-1, 1]."""
    factor = max(sigma / 2, 1.0)
    shape = (max(2, round(height / factor)), max(2, round(width / factor)))
    noise = cv2.GaussianBlur(rng.standard_normal(shape).astype(np.float32), (0, 0), max(sigma / factor, 0.3))
    noise = cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(noise / max(float(np.abs(noise).max()), 1e-6), np.float32)
