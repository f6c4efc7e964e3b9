"""Which reference lends its wrinkles and pores to a candidate, and how much of them shows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from services.fusion.domain.face import Face
from services.fusion.domain.pose import HeadPose, fit_pose
from services.fusion.domain.structure import DenseLandmarks

_POSE_SIGMA_DEG = 15.0
_BY_AGE = {"child": 0.0, "young": 0.2, "middle-aged": 0.7, "elderly": 1.0}
_UNKNOWN_AGE = 0.5
_OF_BEST = 0.15


def strength_by_age(faces: Sequence[Face]) -> float:
    """In [0, 1]: the mean over the faces whose age is told; 0.5 where none is.

    Young skin shows hardly more than grain, and that of the photo is not the candidate's.
    """
    known = [_BY_AGE[age] for face in faces if (age := face.attributes.get("age", "")) in _BY_AGE]
    return math.fsum(known) / len(known) if known else _UNKNOWN_AGE


def choose_texture(candidate: DenseLandmarks, faces: Sequence[Face]) -> list[int]:
    """Positions of the faces to take it from, the best first: likeness of pose times sharpness times size.

    Faces without dense landmarks cannot be warped, and those that are far worse than the best are left out.
    """
    own = fit_pose(candidate)
    worths = {k: _worth(own, fit_pose(face.dense), face) for k, face in enumerate(faces) if face.dense}
    order = sorted(worths, key=lambda k: (-worths[k], k))
    return [k for k in order if worths[k] >= _OF_BEST * worths[order[0]]]


def _worth(own: HeadPose, pose: HeadPose, face: Face) -> float:
    between = (np.trace(own.rotation.T @ pose.rotation) - 1) / 2
    angle = math.degrees(math.acos(min(max(float(between), -1.0), 1.0)))
    sharpness = face.sharpness if face.sharpness is not None else 0.5
    quality = face.judged_quality if face.judged_quality is not None else 0.5
    # A face that is smaller than the candidate's has no detail at the candidate's scale.
    detail = min(pose.scale_px / own.scale_px, 1.0)
    return math.exp(-(angle**2) / (2 * _POSE_SIGMA_DEG**2)) * (0.3 + sharpness) * (0.5 + quality) * detail
