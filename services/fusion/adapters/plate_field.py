"""Thin-plate splines over scattered points, spread over all pixels of a crop."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from services.fusion.domain.face import FloatArray
from services.fusion.domain.thin_plate import ThinPlate

Values = npt.NDArray[np.float64]


def spline_field(
    control: Values,
    values: Values,
    shape: tuple[int, int],
    *,
    unit_px: float,
    softness: Values | float = 1e-4,
) -> FloatArray:
    """A smooth field (H, W, C) float32 that takes *values* (N, C) near *control* (N, 2), in pixels x, y.

    The plate is evaluated at knots a seventh of *unit_px* apart and interpolated in between, which is off by
    less than a hundredth of what it bends; *softness* as of `ThinPlate.fit`, lengths in *unit_px*.
    """
    plate = ThinPlate.fit(control / unit_px, values, softness)
    step = max(4, round(unit_px / 7))
    height, width = shape
    # One knot beyond each far edge, so that every pixel lies between knots.
    xs, ys = np.arange(0, width + step, step), np.arange(0, height + step, step)
    grid = np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 2) / unit_px
    coarse = plate(grid).astype(np.float32).reshape(len(ys), len(xs), -1)
    return upsampled(coarse, step, shape)


def upsampled(coarse: FloatArray, step: int, shape: tuple[int, int]) -> FloatArray:
    """Bicubic samples (H, W, C) of a grid (h, w, C) whose knots lie at every *step*-th pixel; C is 1 to 4."""
    height, width = shape
    matrix = np.array([[1 / step, 0, 0], [0, 1 / step, 0]])
    flags, border = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, cv2.BORDER_REPLICATE
    dense = cv2.warpAffine(coarse, matrix, (width, height), flags=flags, borderMode=border)
    return np.asarray(dense, np.float32).reshape(height, width, -1)
