"""Whether a face is built as faces are: dense landmarks against the mean face, in the head's own axes."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from services.fusion.domain.checks import Check, Scale
from services.fusion.domain.pose import HeadPose, Points
from services.fusion.domain.structure import DenseLandmarks, mean_face

EYES = ("left_eye_", "right_eye_")
MOUTH = ("upper_lip", "lower_lip", "left_mouth", "right_mouth")

# In distances between the pupils. The structure net's landmarks on 360 renders of characters that it was not
# trained on, slightly asymmetric, with all expressions (a smirk has the largest mouth), up to 30 degrees of
# yaw; median and maximum: eyes .012 and .055, mouth .018 and .084, shape .040 and .065.
_EYES, _MOUTH, _SHAPE = Scale(0.028, 0.062), Scale(0.050, 0.115), Scale(0.053, 0.088)
# Beyond this turn the far half of a face is a guess.
_MAX_YAW_DEG = 40.0
_LEAST_VISIBLE = 0.5


def shape_checks(dense: DenseLandmarks, pose: HeadPose) -> list[Check]:
    """Of the symmetry of eyes and mouth, and of the whole face; what is hidden or turned away is left out."""
    if abs(pose.yaw_deg) > _MAX_YAW_DEG:
        return []
    face = mean_face()
    lifted = pose.lift(dense.points.astype(np.float64), face.points)
    checks = [Check("face_shape", _SHAPE.score(pose.error), "its face is out of shape")]
    for name, prefixes, scale, problem in (
        ("eye_symmetry", EYES, _EYES, "its eyes do not match"),
        ("mouth_symmetry", MOUTH, _MOUTH, "its mouth is askew"),
    ):
        indices = face.indices(*prefixes)
        if float(dense.visibility[indices].mean()) >= _LEAST_VISIBLE:
            checks.append(Check(name, scale.score(asymmetry(lifted, indices)), problem))
    return checks


def asymmetry(lifted: Points, indices: npt.NDArray[np.int64]) -> float:
    """How far landmarks of the head (N, 3) are from their mirror images; root mean square, seen from ahead.

    It covers place, size, tilt and openness at once, and counts a shift from the middle of the face twice.
    """
    mirrored = lifted[mirror_images()[indices], :2] * (-1.0, 1.0)
    return float(np.sqrt(((lifted[indices, :2] - mirrored) ** 2).sum(1).mean()))


@cache
def mirror_images() -> npt.NDArray[np.int64]:
    """The landmark on the other side, by landmark: the nearest to its mirror image on the mean face."""
    points = mean_face().points
    gaps = ((points * (-1.0, 1.0, 1.0))[:, None] - points[None]) ** 2
    return np.asarray(gaps.sum(-1).argmin(1), np.int64)
