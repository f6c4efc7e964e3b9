"""How much of the template each region takes, pixel by pixel."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from services.fusion.adapters.region_masks import region_weight_map
from services.fusion.domain.face import Face, FloatArray
from services.fusion.domain.fusing import RegionWeights
from services.fusion.domain.geometry import face_frame
from services.fusion.domain.structure import mean_face

_EYES = (("left_eye", "left_brow", "left_pupil"), ("right_eye", "right_brow", "right_pupil"))
_LIPS = (("upper_lip", "lower_lip", "left_mouth", "right_mouth"),)
_EYE_REACH, _LIP_REACH = 0.13, 0.08
"""How far a region goes beyond its landmarks, in eye distances."""
_SOFTNESS = 0.06
Curve = npt.NDArray[np.float64]


def weight_map(
    face: Face, places: Curve | None, shape: tuple[int, int], weights: RegionWeights
) -> FloatArray:
    """(H, W) float32: the weight of each pixel's region, with soft transitions.

    Args:
        face: in pixels of the map.
        places: (106, 2) where the fused face has its landmarks; None goes by the five landmarks.
        shape: height and width.
        weights: of the regions.
    """
    if places is None:
        return region_weight_map(face.landmarks5, shape, weights)
    if weights.eyes == weights.skin == weights.lips:
        return np.full(shape, weights.skin, np.float32)
    span = face_frame(face.landmarks5).span_px
    eyes = _region(places, _EYES, _EYE_REACH * span, _SOFTNESS * span, shape)
    lips = _region(places, _LIPS, _LIP_REACH * span, _SOFTNESS * span, shape)
    out = weights.skin + (weights.eyes - weights.skin) * eyes
    return np.asarray(out + (weights.lips - out) * lips, np.float32)


def eye_region(face: Face, places: Curve, shape: tuple[int, int]) -> FloatArray:
    """(H, W) float32 in [0, 1]: eyes and brows with all that glasses cover."""
    span = face_frame(face.landmarks5).span_px
    return _region(places, _EYES, 2.2 * _EYE_REACH * span, _SOFTNESS * span, shape)


def least_eye(inside: FloatArray, places: Curve) -> float:
    """Mean of *inside* (H, W) over the eye that has less of it; eyes outside of the map count as 0."""
    shares = []
    for side in ("left_eye", "right_eye"):
        hull = cv2.convexHull(places[mean_face().indices(side)].astype(np.float32))
        mask = np.zeros(inside.shape, np.uint8)
        cv2.fillConvexPoly(mask, np.round(hull * 16).astype(np.int32), 1, shift=4)
        shares.append(float(cv2.mean(inside, mask)[0]))
    return min(shares)


def _region(
    places: Curve,
    groups: tuple[tuple[str, ...], ...],
    reach_px: float,
    soft_px: float,
    shape: tuple[int, int],
) -> FloatArray:
    """Hulls of groups of landmarks, grown and softened."""
    mask = np.zeros(shape, np.uint8)
    for names in groups:
        hull = cv2.convexHull(places[mean_face().indices(*names)].astype(np.float32))
        points = np.round(hull * 16).astype(np.int32)
        cv2.fillConvexPoly(mask, points, 1, shift=4)
        # A thick outline is a hull grown by half its width.
        cv2.polylines(mask, [points], True, 1, max(1, round(2 * reach_px)), shift=4)
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(soft_px, 0.8)), np.float32)
