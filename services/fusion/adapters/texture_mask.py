"""Where a face shows skin that may lend wrinkles or take them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from services.fusion.domain.face import Face, FloatArray
from services.fusion.domain.geometry import face_frame
from services.fusion.domain.structure import FoundMark, PartMap, mean_face

Maps = tuple[FloatArray, FloatArray]
_SKIN = ("skin",)
_EDGE, _FEATHER = 0.015, 0.04
"""What is left free beside eyes, lips, hair and outline, and the width of the rise; in eye distances."""
_FEATURES = ("left_eye", "right_eye", "left_brow", "right_brow")
_FEATURE_REACH = 0.06
_MARK_REACH, _MARK_RIM_PX = 1.5, 2.0


def skin_weight(face: Face, at: Maps, unit: float) -> FloatArray:
    """(H, W) float32 in [0, 1]: 1 well inside of skin, 0 elsewhere.

    By the part map of *face*, else by its dense landmarks.

    Args:
        face: the face.
        at: pixels of its picture, (H, W) each.
        unit: eye distance in steps of *at*.
    """
    skin = _by_parts(face.parts, at) if face.parts is not None else _by_landmarks(face, at)
    padded = cv2.copyMakeBorder(skin.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1]
    ramp = np.clip((distance - _EDGE * unit) / max(_FEATHER * unit, 1.0), 0, 1)
    return np.asarray(ramp * ramp * (3 - 2 * ramp), np.float32)


def strike_out(weight: FloatArray, marks: Sequence[FoundMark], at: Maps, scale: float) -> None:
    """Clear the discs of marks, which have their own way onto the candidate; in place.

    *at*: where each pixel of *weight* lies in the picture of the marks. *scale*: its pixels by theirs.
    """
    x, y = at[0][::2, ::2] + 0.5, at[1][::2, ::2] + 0.5
    for mark in marks:
        gaps = (x - mark.x_px) ** 2 + (y - mark.y_px) ** 2
        row, column = np.unravel_index(int(gaps.argmin()), gaps.shape)
        radius = round(_MARK_REACH * mark.radius_px * scale + _MARK_RIM_PX)
        cv2.circle(weight, (2 * int(column), 2 * int(row)), radius, 0.0, cv2.FILLED)


def _by_parts(parts: PartMap, at: Maps) -> npt.NDArray[np.bool_]:
    x0, y0, x1, y1 = parts.box_px
    rows, columns = parts.labels.shape
    # Single pixels are the net's doubts, not hair.
    skin = cv2.medianBlur(parts.share_of(_SKIN).astype(np.uint8) * 255, 3)
    x = (at[0] + np.float32(0.5 - x0)) * np.float32(columns / (x1 - x0)) - np.float32(0.5)
    y = (at[1] + np.float32(0.5 - y0)) * np.float32(rows / (y1 - y0)) - np.float32(0.5)
    return np.asarray(cv2.remap(skin, x, y, cv2.INTER_LINEAR, borderValue=0) > 127)


def _by_landmarks(face: Face, at: Maps) -> npt.NDArray[np.bool_]:
    """Inside of the outermost landmarks, and outside of eyes, brows and lips."""
    assert face.dense is not None
    points = face.dense.points
    low = points.min(0) - 4
    side = np.ceil(points.max(0) - low + 4).astype(int)
    drawn = np.zeros((int(side[1]), int(side[0])), np.uint8)
    cv2.fillConvexPoly(drawn, cv2.convexHull(np.round(points - low).astype(np.int32)), 255)
    reach = max(1, round(_FEATURE_REACH * face_frame(face.landmarks5).span_px))
    for names in ((name,) for name in _FEATURES), (("upper_lip", "lower_lip", "left_mouth", "right_mouth"),):
        for prefixes in names:
            hull = cv2.convexHull(np.round(points[mean_face().indices(*prefixes)] - low).astype(np.int32))
            cv2.fillConvexPoly(drawn, hull, 0)
            cv2.polylines(drawn, [hull], True, 0, 2 * reach)
    x, y = at[0] - np.float32(low[0]), at[1] - np.float32(low[1])
    return np.asarray(cv2.remap(drawn, x, y, cv2.INTER_LINEAR, borderValue=0) > 127)
