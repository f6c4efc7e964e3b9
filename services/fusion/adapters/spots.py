"""Dark or red spots on an aligned face, by the scale-space of its lightness."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from services.fusion.adapters.opencv_blend import to_lab
from services.fusion.domain.face import FloatArray, Image

_SIGMAS_PX = (1.2, 1.7, 2.4, 3.4)
"""Radii of a mole on the aligned face are about 1.4 sigma: 1.5 to 5 px of 64 px between the eyes."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A spot in pixels of the aligned face; contrasts are spot minus surrounding skin, in LAB units."""

    x: float
    y: float
    radius: float
    lightness_ratio: float
    delta_a: float
    delta_b: float
    strength: float


def find_spots(aligned: Image, skin: FloatArray, *, min_contrast: float = 5.0) -> list[Spot]:
    """Round spots darker or redder than the skin around them, the strongest first.

    Lindeberg, "Feature detection with automatic scale selection" (1998): maxima over place and scale of the
    normalised Laplacian, here of lightness minus half of the redness, after division by the local mean (so
    that shading does not count).

    Args:
        aligned: RGB, upright face.
        skin: (H, W) in [0, 1]; spots are looked for where it exceeds 0.5.
        min_contrast: least contrast in units of lightness (L of 0 to 100).
    """
    lab = to_lab(aligned)
    flat = _flattened(lab)
    stack = np.stack([_normalised_laplacian(flat, sigma) for sigma in _SIGMAS_PX])
    peak = cv2.dilate(stack.max(0), np.ones((7, 7), np.uint8))
    height, width = flat.shape
    spots = []
    for y, x in np.argwhere((stack.max(0) >= peak) & (stack.max(0) > 0.45 * min_contrast) & (skin > 0.5)):
        if not (4 <= y < height - 4 and 4 <= x < width - 4):
            continue
        sigma = _SIGMAS_PX[int(stack[:, y, x].argmax())]
        if _is_line(flat, int(x), int(y), sigma):
            continue
        spot = _measured(lab, int(x), int(y), sigma)
        if spot is not None and spot.strength >= min_contrast:
            spots.append(spot)
    return sorted(spots, key=lambda s: (-s.strength, s.x, s.y))


def _flattened(lab: FloatArray) -> FloatArray:
    """Lightness less half of the redness, with shading divided out; about 60 on plain skin."""
    value = lab[..., 0] - 0.5 * lab[..., 1]
    local = cv2.GaussianBlur(value, (0, 0), 9.0)
    return np.asarray(60.0 * value / np.maximum(local, 5.0), np.float32)


def _normalised_laplacian(value: FloatArray, sigma: float) -> FloatArray:
    """sigma^2 times the Laplacian of Gaussian; positive on dark spots; near the contrast of a fitting one."""
    smooth = cv2.GaussianBlur(value, (0, 0), sigma)
    return np.asarray(sigma**2 * cv2.Laplacian(smooth, cv2.CV_32F, ksize=1), np.float32)


def _is_line(value: FloatArray, x: int, y: int, sigma: float) -> bool:
    """Whether the curvature differs along the two axes, as on wrinkles, brows and hairs, not on moles."""
    smooth = cv2.GaussianBlur(value[y - 4 : y + 5, x - 4 : x + 5], (0, 0), max(sigma * 0.7, 0.8))
    xx = smooth[4, 5] + smooth[4, 3] - 2 * smooth[4, 4]
    yy = smooth[5, 4] + smooth[3, 4] - 2 * smooth[4, 4]
    xy = (smooth[5, 5] - smooth[5, 3] - smooth[3, 5] + smooth[3, 3]) / 4
    spread = float(np.hypot((xx - yy) / 2, xy))
    high, low = (xx + yy) / 2 + spread, (xx + yy) / 2 - spread
    return bool(low <= 0 or high / low > 2.6)


def _measured(lab: FloatArray, x: int, y: int, sigma: float) -> Spot | None:
    """Contrast of the core against the ring around it; None where the ring is no even skin."""
    radius = 1.41 * sigma
    reach = int(np.ceil(2.6 * radius)) + 1
    y0, x0 = max(y - reach, 0), max(x - reach, 0)
    patch = lab[y0 : y + reach + 1, x0 : x + reach + 1]
    yy, xx = np.mgrid[0 : patch.shape[0], 0 : patch.shape[1]]
    distance = np.hypot(xx - (x - x0), yy - (y - y0))
    ring = patch[(distance > 1.6 * radius) & (distance <= 2.6 * radius)]
    core = patch[distance <= max(0.6 * radius, 0.9)]
    skin = np.median(ring, axis=0)
    uneven = float(np.percentile(np.abs(ring[:, 0] - skin[0]), 75))
    delta = core.mean(0) - skin
    darkness, redness = float(-delta[0]), float(delta[1])
    strength = darkness + 0.5 * max(redness, 0.0)
    if skin[0] < 12 or strength < 2.2 * uneven:
        return None
    ratio = float(np.clip((skin[0] + delta[0]) / skin[0], 0.05, 1.0))
    return Spot(float(x), float(y), radius, ratio, redness, float(delta[2]), strength)
