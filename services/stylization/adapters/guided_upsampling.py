"""Brings a drawing made at a small size up to the picture's own, along the picture's edges."""

from __future__ import annotations

import cv2
import numpy as np

from services.stylization.domain import FloatArray, Image


def guided_upsample(small: Image, drawn: Image, large: Image, *, radius: int = 2, eps: float = 40.0) -> Image:
    """Enlarge a drawing along the edges of the large picture.

    He and Sun, "Fast guided filter" (2015), with the picture's lightness as guide: around each pixel the
    drawing is a linear function of the picture; its two coefficients are fitted at the small size and
    enlarged, so that edges are as sharp as in the large picture.

    Args:
        small: (h, w, 3) the picture at the drawing's size.
        drawn: (h, w, 3) the drawing.
        large: (H, W, 3) the picture.
        radius: of the fit, in small pixels.
        eps: regularisation in squared grey levels; larger copies less texture of the picture.
    """
    guide, target = _grey(small), drawn.astype(np.float32)
    window = (2 * radius + 1, 2 * radius + 1)
    mean_guide, mean_target = cv2.blur(guide, window), cv2.blur(target, window)
    variance = cv2.blur(guide * guide, window) - mean_guide * mean_guide
    covariance = cv2.blur(guide[..., None] * target, window) - mean_guide[..., None] * mean_target
    slope = covariance / (variance + eps)[..., None]
    offset = mean_target - slope * mean_guide[..., None]
    size = (large.shape[1], large.shape[0])
    large_slope = cv2.resize(cv2.blur(slope, window), size, interpolation=cv2.INTER_LINEAR)
    large_offset = cv2.resize(cv2.blur(offset, window), size, interpolation=cv2.INTER_LINEAR)
    out = large_slope * _grey(large)[..., None] + large_offset
    return np.asarray(np.clip(np.round(out), 0, 255), np.uint8)


def _grey(image: Image) -> FloatArray:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.float32)
