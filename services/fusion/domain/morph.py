"""Where a fused face has its landmarks, and how much of the template each place may give."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from services.fusion.domain.face import Face
from services.fusion.domain.face_model import FittedFace, fit_face
from services.fusion.domain.fusing import FuseOptions, WarpMode
from services.fusion.domain.occluders import wears_glasses
from services.fusion.domain.pose import Points
from services.fusion.domain.structure import DenseLandmarks, mean_face

_OUTLINE = ("left_jaw", "right_jaw", "left_forehead", "right_forehead")
_EYES = ("left_eye", "right_eye", "left_brow", "right_brow", "left_pupil", "right_pupil")
_MAX_SHIFT = 0.3
"""How far a landmark of the candidate may move, in eye distances."""
_SEEN, _FIRM, _LOOSE = 0.4, 1e-3, 0.03
"""Landmarks of a net are off by a hundredth of the eye distance or two, hidden ones by much more."""
_TURNED_AWAY, _TURNED_TO = 0.2, 0.5
"""Cosines between skin and line of sight under which the template's skin is useless, and fine."""
_COVERED = 0.15, 0.6
"""The same for the chance that nothing lies over an eye or a brow."""


@dataclass(frozen=True, eq=False)
class Morph:
    """Three places of each landmark; all (106, 2) pixels.

    Attributes:
        target: in the fused picture, pixels of the candidate.
        template: in the template's picture.
        candidate: in the candidate's; equal to *target* where the candidate is not bent.
        softness: (106,): how little the warp cares to meet it, as of `ThinPlate.fit`.
        trust: (106,) in [0, 1]: 0 where the template's side of the face is turned away.
        unit_px: the candidate's eye distance as if it looked ahead.
    """

    target: Points
    template: Points
    candidate: Points
    softness: Points
    trust: Points
    unit_px: float


def plan_morph(candidate: Face, template: Face, options: FuseOptions) -> Morph | None:
    """How both faces meet; None where a face has no dense landmarks or only a similarity is asked for."""
    if candidate.dense is None or template.dense is None or options.warp is WarpMode.SIMILARITY:
        return None
    own = candidate.dense.points.astype(np.float64)
    given = template.dense.points.astype(np.float64)
    fitted, source = fit_face(candidate.dense), fit_face(template.dense)
    target = own
    if options.warp is WarpMode.POSED:
        posed = fitted.pose.project(source.with_expression(fitted.expression))
        share = options.strength * _share(wears_glasses(candidate))
        shift = share[:, None] * (posed - own)
        target = own + shift
        # What would move that far was misread: the template goes to its place, nothing is bent there.
        far = np.linalg.norm(shift, axis=1) > _MAX_SHIFT * fitted.pose.scale_px
        own = np.where(far[:, None], target, own)
    softness = _softness(candidate.dense, template.dense)
    return Morph(target, given, own, softness, _trust(source, template.dense), fitted.pose.scale_px)


def _softness(first: DenseLandmarks, second: DenseLandmarks) -> Points:
    """(106,): what a net guesses, and the rim inside of the lips, must not fold the warp.

    Where a mouth is closed the points of both lips coincide: against those of an open one they are noise.
    """
    face = mean_face()
    seen = np.minimum(first.visibility, second.visibility) > _SEEN
    softness = np.where(seen, _FIRM, _LOOSE)
    softness[face.indices("upper_lip_inner", "lower_lip_inner")] = _LOOSE
    return softness


def _share(has_glasses: bool) -> npt.NDArray[np.float64]:
    """(106,): how far each landmark goes from the candidate's place to the person's.

    The outline stays: the jaw line is the candidate's. Behind glasses the eyes go half-way, so that the frame
    is not bent.
    """
    face = mean_face()
    share = np.ones(len(face.names))
    if has_glasses:
        share[face.indices(*_EYES)] = 0.5
    share[face.indices(*_OUTLINE)] = 0.0
    share[[face.names.index("chin"), face.names.index("forehead")]] = 0.0
    return share


def _trust(source: FittedFace, seen: DenseLandmarks) -> Points:
    """(106,): how well the template's picture shows the face around each landmark.

    A part map tells what lies over the skin, but strands over eyes and brows are too fine for it: there the
    landmarks' own visibility counts.
    """
    face = mean_face()
    trust = _ramp(facing_of(source), _TURNED_AWAY, _TURNED_TO)
    fine = face.indices("left_eye", "right_eye", "left_brow", "right_brow")
    trust[fine] *= _ramp(seen.visibility[fine].astype(np.float64), *_COVERED)
    return trust


def _ramp(values: Points, low: float, high: float) -> Points:
    share = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share))


def facing_of(fitted: FittedFace) -> Points:
    """(106,): cosine between the skin's normal at each landmark and the line of sight.

    Normals are those of the mean face: they are smoother than one person's few landmarks give them.
    """
    return np.asarray(_mean_normals() @ fitted.pose.rotation[2])


@cache
def _mean_normals() -> Points:
    """(106, 3) unit normals, outwards; those inside of the lips look ahead."""
    face = mean_face()
    corners = face.points[face.triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals *= np.where(normals[:, 2:] < 0, -1.0, 1.0)
    summed = np.zeros_like(face.points)
    for corner in range(3):
        np.add.at(summed, face.triangles[:, corner], normals)
    bare = np.linalg.norm(summed, axis=1) < 1e-9
    summed[bare] = (0.0, 0.0, 1.0)
    return np.asarray(summed / np.linalg.norm(summed, axis=1, keepdims=True))
