"""How a head is turned in a picture: a scaled orthographic view of the mean face, fitted to landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from services.fusion.domain.structure import DenseLandmarks, mean_face

Points = npt.NDArray[np.float64]

# What an expression moves, or what differs most from head to head, says little of the pose.
_SOFT_PARTS = (
    *("upper_lip", "lower_lip", "left_mouth", "right_mouth", "chin", "left_jaw", "right_jaw"),
    *("left_brow", "right_brow", "left_pupil", "right_pupil", "left_cheek", "right_cheek"),
)
_SOFT_WEIGHT = 0.15
_HIDDEN_WEIGHT = 0.1


@dataclass(frozen=True, eq=False)
class HeadPose:
    """px = scale_px * (rotation @ point)[:2] + shift_px, for points in the axes of `MeanFace`.

    Attributes:
        rotation: (3, 3), a proper rotation.
        scale_px: pixels of one distance between the pupils of a head that looks ahead.
        shift_px: (2,), where the middle between the pupils lies.
        error: root mean square distance of the fit, in distances between the pupils: shape and expression.
    """

    rotation: Points
    scale_px: float
    shift_px: Points
    error: float

    @property
    def yaw_deg(self) -> float:
        """Turn about the vertical axis; positive turns the face to the viewer's right."""
        return float(np.degrees(np.arctan2(self.rotation[0, 2], self.rotation[2, 2])))

    @property
    def pitch_deg(self) -> float:
        """Nod; positive looks up."""
        return float(np.degrees(np.arcsin(np.clip(-self.rotation[1, 2], -1, 1))))

    def turned(self, points: Points) -> Points:
        """Points (N, 3) of the head in the axes of the picture; z is the depth towards the viewer."""
        return np.asarray(points @ self.rotation.T)

    def project(self, points: Points) -> Points:
        """Points (N, 3) of the head -> pixels (N, 2)."""
        return np.asarray(self.turned(points)[:, :2] * self.scale_px + self.shift_px)

    def lift(self, pixels: Points, points: Points) -> Points:
        """Pixels (N, 2) -> points (N, 3) of the head that have the turned depth of *points* (N, 3).

        The inverse of `project` for a head whose points lie as deep as those of the mean face.
        """
        depth = self.turned(points)[:, 2]
        flat = (pixels - self.shift_px) / self.scale_px
        return np.asarray(np.column_stack([flat, depth]) @ self.rotation)


def fit_pose(dense: DenseLandmarks) -> HeadPose:
    """The pose that brings the mean face closest to *dense*; hidden and soft landmarks count less.

    An affine camera by weighted least squares, then the nearest scaled rotation (Tomasi and Kanade, "Shape
    and motion from image streams under orthography", 1992, for one view of a known shape).
    """
    face = mean_face()
    weights = np.where(dense.visibility > 0.5, 1.0, _HIDDEN_WEIGHT)
    weights[_soft_landmarks()] *= _SOFT_WEIGHT
    root = np.sqrt(weights)[:, None]
    system = np.column_stack([face.points, np.ones(len(face.points))])
    solved, *_ = np.linalg.lstsq(root * system, root * dense.points.astype(np.float64), rcond=None)
    rotation, scale_px = _nearest_rotation(solved[:3].T)
    shift = np.average(dense.points - scale_px * (face.points @ rotation.T)[:, :2], axis=0, weights=weights)
    pose = HeadPose(rotation, scale_px, shift, 0.0)
    gaps = ((pose.project(face.points) - dense.points) ** 2).sum(1)
    return HeadPose(rotation, scale_px, shift, float(np.sqrt(np.average(gaps, weights=weights))) / scale_px)


@cache
def _soft_landmarks() -> npt.NDArray[np.int64]:
    return mean_face().indices(*_SOFT_PARTS)


def _nearest_rotation(camera: Points) -> tuple[Points, float]:
    """Rotation (3, 3) and scale closest to an affine camera (2, 3)."""
    u, singular, vt = np.linalg.svd(camera, full_matrices=False)
    rows = u @ vt
    return np.vstack([rows, np.cross(rows[0], rows[1])]), float(max(singular.mean(), 1e-6))
