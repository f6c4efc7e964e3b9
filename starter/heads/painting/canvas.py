"""Antialiased drawing in paint-map pixels with sub-pixel positions."""

import cv2
import numpy as np

from starter.heads.arrays import Floats
from starter.heads.regions import PAINT_MAP

_SHIFT = 4  # OpenCV takes fixed-point coordinates with this many fractional bits
_ONE = 1 << _SHIFT


def blank() -> Floats:
    """An empty float32 layer, zeros."""
    return np.zeros((PAINT_MAP.size, PAINT_MAP.size), np.float32)


def _fixed(point: Floats) -> tuple[int, int]:
    return int(point[0] * _ONE), int(point[1] * _ONE)


def fill(layer: Floats, outline: Floats, value: float) -> None:
    """Fill the polygon `outline` (n, 2)."""
    cv2.fillPoly(layer, [(outline * _ONE).astype(np.int32)], value, cv2.LINE_AA, _SHIFT)


def disc(layer: Floats, centre: Floats, radius_px: float, value: float) -> None:
    """Fill a circle."""
    cv2.circle(layer, _fixed(centre), int(radius_px * _ONE), value, -1, cv2.LINE_AA, _SHIFT)


def stroke(layer: Floats, start: Floats, end: Floats, value: float, width_px: int = 1) -> None:
    """Draw a line."""
    cv2.line(layer, _fixed(start), _fixed(end), value, width_px, cv2.LINE_AA, _SHIFT)


def blur(layer: Floats, sigma_px: float) -> Floats:
    """Gaussian blur."""
    return np.asarray(cv2.GaussianBlur(layer, (0, 0), sigma_px))
