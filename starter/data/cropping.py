"""Crops of portraits as affine maps, so that pictures, part maps and points are moved alike.

A matrix (2, 3) maps picture pixels to crop pixels; both are counted from the top left corner of the picture,
so that the centre of the first pixel is (0.5, 0.5).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Matrix = NDArray[np.float64]
Points = NDArray[np.float32]
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Jitter:
    """How far a training crop may differ from the exact one; standard deviations, of normal draws.

    shift: of the crop's side. turn: radians. zoom: of the logarithm. stretch: of the sides' ratio.
    mirrored: share of mirrored crops.
    """

    shift: float = 0.04
    turn: float = 0.12
    zoom: float = 0.10
    stretch: float = 0.03
    mirrored: float = 0.5


def box_crop(box_px: Box, size: int, scale: float) -> Matrix:
    """The square of `scale` times the mean side of a face box, around its centre, as `size` pixels."""
    x0, y0, x1, y1 = box_px
    side = scale * ((x1 - x0) + (y1 - y0)) / 2
    factor = size / side
    return np.array(
        [[factor, 0, (side - x0 - x1) / 2 * factor], [0, factor, (side - y0 - y1) / 2 * factor]], np.float64
    )


def whole_picture(picture_px: int, size: int) -> Matrix:
    """A whole square picture of `picture_px` as `size` pixels."""
    factor = size / picture_px
    return np.array([[factor, 0, 0], [0, factor, 0]], np.float64)


def jittered(matrix: Matrix, size: int, jitter: Jitter, rng: np.random.Generator) -> tuple[Matrix, bool]:
    """`matrix` moved about the crop's centre, and whether it is mirrored."""
    mirrored = bool(rng.random() < jitter.mirrored)
    angle = rng.normal(0, jitter.turn)
    zoom = np.exp(rng.normal(0, jitter.zoom))
    stretch = np.exp(rng.normal(0, jitter.stretch) / 2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn @ np.diag([zoom * stretch * (-1 if mirrored else 1), zoom / stretch])
    centre = np.full(2, size / 2)
    shift = centre - linear @ centre + rng.normal(0, jitter.shift * size, 2)
    return np.column_stack([linear @ matrix[:, :2], linear @ matrix[:, 2] + shift]), mirrored


def cut(image: Image, matrix: Matrix, size: int) -> Image:
    """A crop (size, size, 3); outside the picture its edge is repeated.

    Drawn at twice the size and averaged, which is as smooth as area averaging for what is made smaller here.
    """
    large = cv2.warpAffine(
        image,
        _by_centres(2 * matrix),
        (2 * size, 2 * size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


@dataclass(frozen=True)
class PartMap:
    """Part ids (H, W) of a picture, with the matrix that takes their pixels to the picture's."""

    ids: Image
    to_picture: Matrix


FULL_SIZE: Matrix = np.array([[1, 0, 0], [0, 1, 0]], np.float64)
HALF_SIZE: Matrix = np.array([[2, 0, 0.5], [0, 2, 0.5]], np.float64)
"""The renderer keeps the lower right pixel of each four: its centre is at 1.5 picture pixels, not at 1."""


def cut_parts(parts: PartMap, matrix: Matrix, size: int) -> Image:
    """The part map (size, size) of a crop; `matrix` takes the picture to the crop."""
    return np.asarray(
        cv2.warpAffine(
            parts.ids,
            _by_centres(_chain(matrix, parts.to_picture)),
            (size, size),
            flags=cv2.INTER_NEAREST,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.uint8,
    )


def move(points: Points, matrix: Matrix) -> Points:
    """Points (N, 2) of the picture in pixels of the crop."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float32)


def scale_of(matrix: Matrix) -> float:
    """Crop pixels per picture pixel."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))


def _chain(last: Matrix, first: Matrix) -> Matrix:
    return np.column_stack([last[:, :2] @ first[:, :2], last[:, :2] @ first[:, 2] + last[:, 2]])


def _by_centres(matrix: Matrix) -> Matrix:
    """The same map for OpenCV, which counts from the centre of the first pixel."""
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2] @ np.full(2, 0.5) - 0.5
    return moved
