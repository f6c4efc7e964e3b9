"""Marks of photos as what they do to the skin, ready to be laid onto other skin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from services.fusion.adapters.mark_window import FINER, Drop, Window, drop_in
from services.fusion.domain.exemplars import Stroke
from services.fusion.domain.face import FloatArray, Image

_LEAST_DROP, _LEAST_OF_NOISE = 0.02, 1.0
"""A mark is darker than its skin by this share of the skin's lightness, and by this many deviations of it."""
_RIM_SHARE = 0.35
"""The contour runs where the mark stands out this share of its strongest."""
_MOST_BEYOND = 0.3
_FEATHER_PX = 0.6
_CHROMA_REACH_PX = 2.0
"""JPEG keeps colour at half the resolution: that of a mark has spread this far."""


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """What a mark does to a block of pixels.

    Attributes:
        x0, y0: the block's first pixel in the candidate.
        drop: (N, N) float32: share by which lightness drops.
        dark, chroma: sums over the mark of the drop, and of the rise of LAB a and b in the same unit.
    """

    x0: int
    y0: int
    drop: FloatArray
    dark: float
    chroma: tuple[float, float]


def patch_of(stroke: Stroke, photos: Mapping[int, Image]) -> Patch | None:
    """The mark on the pixels of the candidate; None where the photos do not set it off from the skin."""
    window = Window.around(stroke)
    drop = drop_in(photos, stroke, window)
    mask = _mask(drop, window, is_scar=stroke.placed.mark.kind == "scar")
    if mask is None:
        return None
    whole = window.distance <= window.radius_px + _CHROMA_REACH_PX
    a, b = (float(v) for v in drop.chroma[whole].sum(0))
    size = (window.side, window.side)
    laid = np.asarray(cv2.resize(drop.lightness * mask, size, interpolation=cv2.INTER_AREA), np.float32)
    return Patch(window.x0, window.y0, laid, float(drop.lightness[whole].sum()), (a, b))


def _mask(drop: Drop, window: Window, *, is_scar: bool) -> FloatArray | None:
    """(S, S) in [0, 1]: 1 within the mark's contour, with a soft rim; None where nothing stands out."""
    core = window.distance <= max(0.8 * window.radius_px, 0.8)
    smooth = cv2.GaussianBlur(drop.lightness, (0, 0), 0.35 * FINER)
    if is_scar and float(smooth[core].sum()) < 0:
        smooth = -smooth
    peak = float(smooth[core].max())
    if peak < max(_LEAST_DROP, _LEAST_OF_NOISE * drop.noise):
        return None
    mask = _contour(smooth > _RIM_SHARE * peak, window)
    near = window.distance <= 1.4 * window.radius_px + 1.2
    if not is_scar and float(mask[near].sum()) < (1 - _MOST_BEYOND) * float(mask.sum()):
        # The contour runs off into grain, or along a fold or a lip: the mark is no more than its disc.
        mask = (window.distance <= window.radius_px + 0.3).astype(np.float32)
        if float(drop.lightness[mask > 0].mean()) < max(_LEAST_DROP, _LEAST_OF_NOISE * drop.noise):
            return None
    reach = round(_FEATHER_PX * FINER) * 2 + 1
    wider = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    soft = cv2.GaussianBlur(wider, (0, 0), _FEATHER_PX * FINER / 1.5)
    # Whatever else the contour follows, a mark ends at its own size.
    limit = 1.5 + 2.0 / max(window.radius_px, 1.0) - window.distance / window.radius_px
    return np.asarray(soft * np.clip(limit, 0, 1), np.float32)


def _contour(over: npt.NDArray[np.bool_], window: Window) -> FloatArray:
    """(S, S) of 0 and 1: the filled contour that holds the window's centre, or comes nearest to it."""
    contours, _ = cv2.findContours(over.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    centre = (window.centre[0] * FINER, window.centre[1] * FINER)
    nearest = max(contours, key=lambda contour: cv2.pointPolygonTest(contour, centre, True))
    mask = np.zeros(over.shape, np.float32)
    cv2.drawContours(mask, [nearest], -1, 1.0, cv2.FILLED)
    return mask
