"""Between the pixels of a picture and places on the skin that are the same in every picture of a person."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from services.fusion.domain.face import Face
from services.fusion.domain.flat_map import FlatMap
from services.fusion.domain.pose import HeadPose, fit_pose
from services.fusion.domain.structure import DenseLandmarks, mean_face
from services.fusion.domain.surface import mean_surface
from services.fusion.domain.thin_plate import ThinPlate

Points = npt.NDArray[np.float64]

_SOFTNESS, _HIDDEN_SOFTNESS = 0.06, 0.3
_STEPS = 4
_REACH = 0.3
"""Longest step of the search for a place, in units of the face."""
_OUTSIDE = -0.12
"""Barycentric coordinate down to which a place beyond the outermost triangles still counts as face."""
_NOSTRIL = 0.11
_NOT_SKIN = ("left_pupil", "right_pupil")


class FaceMap(Protocol):
    """Places on a face: (N, 2), x along the eyes, y towards the mouth; about 1 between the pupils."""

    @property
    def scale_px(self) -> float:
        """Pixels of one unit on skin that faces the viewer."""
        ...

    @property
    def tolerance(self) -> float:
        """How far apart two sightings of one mark may seem, in units."""
        ...

    def project(self, places: Points) -> Points:
        """The pixels (N, 2) of *places*."""
        ...

    def locate(self, pixels: Points) -> Points:
        """The places of *pixels* (N, 2): the inverse of `project`."""
        ...

    def jacobian(self, places: Points) -> Points:
        """(N, 2, 2): change of the pixel by change of the place."""
        ...

    def facing(self, places: Points) -> Points:
        """(N,): cosine of the angle at which the skin is seen, 0 or less where it is not; 0 off the face."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class HeadMap:
    """The `FaceMap` of a face with dense landmarks.

    A place is where the mean head has that bit of skin. Its pixel is the mean head's in the fitted pose, plus
    what a soft thin plate through the landmarks adds for shape and expression. Unlike barycentric coordinates
    in a triangle of landmarks, which take the skin between three landmarks for flat, it stays true when the
    head turns.
    """

    pose: HeadPose
    residual: ThinPlate

    @classmethod
    def of(cls, dense: DenseLandmarks) -> HeadMap:
        """Fit the pose, then the plate."""
        pose = fit_pose(dense)
        used = _bound_landmarks()
        points = mean_face().points[used]
        gaps = (dense.points[used] - pose.project(points)) / pose.scale_px
        softness = np.where(dense.visibility[used] > 0.5, _SOFTNESS, _HIDDEN_SOFTNESS)
        return cls(pose, ThinPlate.fit(points[:, :2], gaps, softness))

    @property
    def scale_px(self) -> float:
        """See `FaceMap.scale_px`."""
        return self.pose.scale_px

    @property
    def tolerance(self) -> float:
        """See `FaceMap.tolerance`; two and a half times the usual error of two sightings."""
        return 0.05

    def project(self, places: Points) -> Points:
        """See `FaceMap.project`."""
        skin = mean_surface().points(places)
        return np.asarray(self.pose.project(skin) + self.residual(places) * self.pose.scale_px)

    def locate(self, pixels: Points) -> Points:
        """See `FaceMap.locate`; Newton's method from the place on a flat face."""
        places = self.pose.lift(pixels, np.tile([0.0, 0.3, 0.1], (len(pixels), 1)))[:, :2]
        for _ in range(_STEPS if len(pixels) else 0):
            at, slope = self._linear(places)
            step = np.linalg.solve(slope, (pixels - at)[..., None])[..., 0]
            length = np.linalg.norm(step, axis=1, keepdims=True)
            places = np.clip(places + step * np.minimum(1, _REACH / np.maximum(length, 1e-9)), -1.6, 2.2)
        return places

    def jacobian(self, places: Points) -> Points:
        """See `FaceMap.jacobian`."""
        return self._linear(places)[1]

    def facing(self, places: Points) -> Points:
        """See `FaceMap.facing`."""
        seen = self.pose.turned(mean_surface().normals(places))[:, 2]
        return np.asarray(np.where(mean_surface().sampled(_face_area(), places) > 0.5, seen, 0.0))

    def _linear(self, places: Points) -> tuple[Points, Points]:
        """Pixels and jacobian, the latter kept invertible where the skin turns away."""
        n, step = len(places), 1e-3
        along, down = np.array([step, 0.0]), np.array([0.0, step])
        moved = np.concatenate([places, places + along, places + down])
        pixels = self.project(moved)
        slope = np.stack([pixels[n : 2 * n] - pixels[:n], pixels[2 * n :] - pixels[:n]], axis=-1) / step
        flat = np.abs(np.linalg.det(slope)) < 1e-3 * self.pose.scale_px**2
        slope[flat] = np.eye(2) * self.pose.scale_px
        return pixels[:n], slope


def face_map(face: Face) -> FaceMap:
    """The best map that the face allows: over dense landmarks, or over the five."""
    return HeadMap.of(face.dense) if face.dense is not None else FlatMap.of(face.landmarks5)


@cache
def _face_area() -> Points:
    """(H, W) over the cells of the mean surface: 1 within the outermost landmarks and just beyond, else 0.

    0 around the nostrils too: what is dark there is no mark, and a mark there is lost in the shade.
    """
    face, surface = mean_face(), mean_surface()
    corners = face.points[face.triangles][..., :2]
    edges = np.stack([corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]], axis=-1)
    offset = surface.grid().reshape(-1, 1, 2) - corners[:, 0]
    second_third = np.einsum("tij,ntj->nti", np.linalg.inv(edges), offset)
    lowest = np.minimum(second_third.min(-1), 1 - second_third.sum(-1))
    inside = (lowest >= _OUTSIDE).any(1).reshape(surface.layers.shape[:2])
    holes = face.points[face.indices("left_nostril", "right_nostril", "nose_base")][:, :2]
    gaps = np.linalg.norm(surface.grid()[:, :, None] - holes, axis=-1).min(-1)
    return np.asarray(inside & (gaps > _NOSTRIL), np.float64)


@cache
def _bound_landmarks() -> npt.NDArray[np.int64]:
    """Landmarks that stay on their bit of skin: not the pupils, nor the rim inside of the lips."""
    names = mean_face().names
    return np.array([i for i, name in enumerate(names) if name not in _NOT_SKIN and "lip_inner" not in name])
