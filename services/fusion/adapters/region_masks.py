"""Soft masks of the face and its regions, drawn from the five landmarks."""

from __future__ import annotations

import cv2
import numpy as np

from services.fusion.domain.face import FloatArray
from services.fusion.domain.fusing import RegionWeights
from services.fusion.domain.geometry import apply, face_frame, face_outline

_FEATHER = 0.10
"""Softness of the face's edge as a share of the eye distance."""


def face_mask(landmarks5: FloatArray, other_outline: FloatArray | None, shape: tuple[int, int]) -> FloatArray:
    """(H, W) float32 in [0, 1]: 1 well inside of the face's outline, 0 on and outside of it.

    Args:
        landmarks5: of the face, in pixels of the mask.
        other_outline: (N, 2) a second closed curve; the mask is inside of both.
        shape: height and width of the mask.
    """
    span = face_frame(landmarks5).span_px
    mask = _filled(face_outline(landmarks5), shape)
    if other_outline is not None:
        mask = np.minimum(mask, _filled(other_outline, shape))
    # Feather inwards by distance, so that nothing of the template reaches over the outline.
    padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    ramp = np.clip(distance / max(2.2 * _FEATHER * span, 1.0), 0, 1)
    return np.asarray(ramp * ramp * (3 - 2 * ramp), np.float32)


def region_weight_map(landmarks5: FloatArray, shape: tuple[int, int], weights: RegionWeights) -> FloatArray:
    """(H, W) float32: the weight of each pixel's region, with soft transitions."""
    if weights.eyes == weights.skin == weights.lips:
        return np.full(shape, weights.skin, np.float32)
    frame = face_frame(landmarks5)
    left, right = frame.eyes_x
    eyes = np.zeros(shape, np.float32)
    for x in (left, right):
        # Centred above the eye, as the brow belongs to its expression.
        eyes = np.maximum(eyes, soft_ellipse(landmarks5, (x, -0.12), (0.36, 0.32), shape))
    mouth_x = (left + right) / 2 + 0.5 * frame.nose_x
    lips = soft_ellipse(landmarks5, (mouth_x, frame.mouth_y), (0.48, 0.24), shape)
    out = weights.skin + (weights.eyes - weights.skin) * eyes
    return np.asarray(out + (weights.lips - out) * lips, np.float32)


def _filled(outline: FloatArray, shape: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    # Four fractional bits: an outline rounded to whole pixels jitters between the frames of a sequence.
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 1, shift=4)
    return mask


def soft_ellipse(
    landmarks5: FloatArray, centre: tuple[float, float], radii: tuple[float, float], shape: tuple[int, int]
) -> FloatArray:
    """(H, W) float32 in [0, 1]: an ellipse with a soft edge; centre and radii in units of the face frame."""
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    curve = np.column_stack([centre[0] + radii[0] * np.cos(angle), centre[1] + radii[1] * np.sin(angle)])
    frame = face_frame(landmarks5)
    mask = _filled(apply(frame.to_px, curve), shape).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(0.06 * frame.span_px, 0.8)), np.float32)
