"""Whether the parts of a face are there, where they belong and of a likely size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.fusion.domain.checks import Check, Scale
from services.fusion.domain.pose import HeadPose
from services.fusion.domain.shape_checks import EYES, MOUTH
from services.fusion.domain.structure import DenseLandmarks, PartMap, mean_face

Mask = npt.NDArray[np.bool_]
Finding = tuple[float, str]
"""A score in [0, 1], and what is the matter where it is 0."""

_EYE, _MOUTH = ("sclera", "iris"), ("lips", "teeth", "inside_mouth")
_COVERS = ("glasses", "hair", "headwear", "metal", "clothes")
_NO_FACE = ("background", "clothes", "neck", "ears")
_MOST_COVERED = 0.15
# What is the eye, the mouth and the inner face: within so many distances between the pupils of their middle.
_EYE_REACH, _MOUTH_REACH, _INNER = 0.45, 0.85, 0.75

# Areas in squared distances between the pupils; ratios as logarithms. On the renders of shape_checks.py, the
# median and the extremes: smaller eye .046 and .019, ratio of the eyes .06 and .41, mouth .24 and .15 to .39,
# strays 0 and .001, share of holes 0 and .011.
_EYE_AREA, _EYE_RATIO = Scale(0.022, 0.009), Scale(0.35, 0.80)
_MOUTH_LEAST, _MOUTH_MOST = Scale(0.14, 0.07), Scale(0.41, 0.55)
_STRAY, _HOLE = Scale(0.002, 0.010), Scale(0.015, 0.090)


@dataclass(frozen=True, eq=False)
class _FaceMap:
    """A part map with the distance of each cell from the eyes and the mouth, in distances of the pupils."""

    parts: PartMap
    cell_area: float
    from_eyes: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]
    from_mouth: npt.NDArray[np.float64]
    from_middle: npt.NDArray[np.float64]

    def area(self, parts: tuple[str, ...], where: Mask) -> float:
        return float(np.count_nonzero(self.parts.share_of(parts) & where)) * self.cell_area

    def share(self, parts: tuple[str, ...], where: Mask) -> float:
        return float(np.count_nonzero(self.parts.share_of(parts) & where)) / max(int(where.sum()), 1)


def parts_check(parts: PartMap, dense: DenseLandmarks, pose: HeadPose) -> Check:
    """The worst of: an eye missing, eyes of two sizes, mouth too small or large, strays, holes in the face.

    Eyes behind glasses or hair are not judged, nor are parts that the map has no name for.
    """
    seen = _face_map(parts, dense, pose)
    found = [(1.0, ""), *_holes(seen)]
    if _knows(parts, _MOUTH):
        found += _mouth(seen)
    if _knows(parts, _EYE):
        found += _eyes(seen)
    score, problem = min(found, key=lambda pair: pair[0])
    return Check("parts", score, problem)


def _knows(parts: PartMap, names: tuple[str, ...]) -> bool:
    return any(name in parts.names for name in names)


def _holes(seen: _FaceMap) -> list[Finding]:
    share = seen.share(_NO_FACE, seen.from_middle < _INNER)
    return [(_HOLE.score(share), "its face has a hole")]


def _mouth(seen: _FaceMap) -> list[Finding]:
    area = seen.area(_MOUTH, seen.from_mouth < _MOUTH_REACH)
    stray = seen.area(_MOUTH, seen.from_mouth >= _MOUTH_REACH)
    return [
        (_MOUTH_LEAST.score(area), "its mouth is missing or in pieces"),
        (_MOUTH_MOST.score(area), "its mouth is too large"),
        (_STRAY.score(stray), "it has pieces of lips where none belong"),
    ]


def _eyes(seen: _FaceMap) -> list[Finding]:
    stray = seen.area(_EYE, np.minimum(*seen.from_eyes) >= _EYE_REACH)
    found = [(_STRAY.score(stray), "it has pieces of eyes where none belong")]
    if any(seen.share(_COVERS, distance < 0.3) >= _MOST_COVERED for distance in seen.from_eyes):
        return found
    left, right = (seen.area(_EYE, distance < _EYE_REACH) for distance in seen.from_eyes)
    ratio = abs(float(np.log((left + 0.005) / (right + 0.005))))
    return [
        *found,
        (_EYE_AREA.score(min(left, right)), "an eye is missing or in pieces"),
        (_EYE_RATIO.score(ratio), "one eye is far larger than the other"),
    ]


def _face_map(parts: PartMap, dense: DenseLandmarks, pose: HeadPose) -> _FaceMap:
    x0, y0, x1, y1 = parts.box_px
    side = parts.labels.shape[0]
    middles = (np.arange(side) + 0.5) / side
    x, y = (x0 + middles * (x1 - x0))[None, :], (y0 + middles * (y1 - y0))[:, None]

    def distance(point: npt.NDArray[np.float64], squeezed: float = 1.0) -> npt.NDArray[np.float64]:
        return np.asarray(np.hypot((x - point[0]) / squeezed, y - point[1]) / pose.scale_px)

    def place(*prefixes: str) -> npt.NDArray[np.float64]:
        return np.asarray(dense.points[mean_face().indices(*prefixes)].mean(0), np.float64)

    left, right, mouth = place(EYES[0]), place(EYES[1]), place(*MOUTH)
    cell_area = (x1 - x0) * (y1 - y0) / side**2 / pose.scale_px**2
    # A turned face is narrower, on its far side more than on average.
    middle = distance((left + right + mouth) / 3, max(np.cos(np.radians(1.4 * pose.yaw_deg)), 0.4))
    return _FaceMap(parts, cell_area, (distance(left), distance(right)), distance(mouth), middle)
