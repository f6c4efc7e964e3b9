"""Colour match and blending of two aligned pictures."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from services.fusion.domain.face import FloatArray, Image

_MAX_LEVELS = 5


def to_lab(rgb: Image) -> FloatArray:
    """CIE LAB, float32: L in [0, 100], a and b around 0."""
    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB), np.float32)


def from_lab(lab: FloatArray) -> Image:
    """RGB uint8 from CIE LAB, clipped to the gamut and rounded."""
    rgb = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    return np.asarray(np.clip(rgb * 255.0 + 0.5, 0, 255), np.uint8)


def match_colour(source: Image, target: Image, weight: FloatArray) -> Image:
    """*source* with the weighted LAB mean and deviation of *target*.

    Reinhard et al., "Color transfer between images" (2001), in CIE LAB. The gain of each channel is kept
    within [0.6, 1.6]: a flat target (a blurred candidate) must not wash the source out.
    """
    lab_source, lab_target = to_lab(source), to_lab(target)
    share = weight[..., None] / max(float(weight.sum()), 1e-6)

    def moments(lab: FloatArray) -> tuple[Any, Any]:
        mean = (lab * share).sum((0, 1))
        return mean, np.sqrt((((lab - mean) ** 2) * share).sum((0, 1)))

    (mean_s, dev_s), (mean_t, dev_t) = moments(lab_source), moments(lab_target)
    gain = np.clip(dev_t / np.maximum(dev_s, 1e-3), 0.6, 1.6)
    return from_lab(np.asarray((lab_source - mean_s) * gain + mean_t, np.float32))


def blend_pyramid(source: Image, target: Image, alpha: FloatArray, levels: int = _MAX_LEVELS) -> Image:
    """*source* over *target* with *alpha* (H, W) in [0, 1], each frequency band over its own width.

    Burt and Adelson, "A multiresolution spline with application to image mosaics" (1983). The coarsest of the
    *levels* mixes what lies 2 ** levels pixels apart.
    """
    levels = min(levels, int(np.log2(max(min(alpha.shape), 2))) - 2)
    a: FloatArray = source.astype(np.float32)
    b: FloatArray = target.astype(np.float32)
    bands: list[FloatArray] = []
    weight: FloatArray = alpha.astype(np.float32)
    for _ in range(max(levels, 0)):
        small_a, detail_a = _split(a)
        small_b, detail_b = _split(b)
        bands.append(detail_b + weight[..., None] * (detail_a - detail_b))
        a, b, weight = small_a, small_b, np.asarray(cv2.pyrDown(weight), np.float32)
    out = np.asarray(b + weight[..., None] * (a - b), np.float32)
    for band in reversed(bands):
        out = np.asarray(cv2.pyrUp(out, dstsize=band.shape[1::-1]) + band, np.float32)
    return np.asarray(np.clip(out + 0.5, 0, 255), np.uint8)


def _split(image: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Half-size picture, and what it lacks."""
    small = cv2.pyrDown(image)
    detail = image - cv2.pyrUp(small, dstsize=image.shape[1::-1])
    return np.asarray(small, np.float32), np.asarray(detail, np.float32)


def blend_poisson(source: Image, target: Image, alpha: FloatArray) -> Image:
    """*source* cloned into *target* where alpha is above one half, then mixed by *alpha*.

    Perez et al., "Poisson image editing" (2003), by cv2.seamlessClone.
    """
    mask = np.where(alpha > 0.02, 255, 0).astype(np.uint8)
    # seamlessClone centres the mask's bounding box on the given point and needs a border of unmasked pixels.
    mask[[0, -1], :] = 0
    mask[:, [0, -1]] = 0
    if not mask.any():
        return target.copy()
    x, y, width, height = cv2.boundingRect(mask)
    centre = (x + width // 2, y + height // 2)
    cloned = cv2.seamlessClone(source, target, mask, centre, cv2.NORMAL_CLONE)
    mixed = target + alpha[..., None] * (cloned.astype(np.float32) - target)
    return np.asarray(np.clip(mixed + 0.5, 0, 255), np.uint8)
