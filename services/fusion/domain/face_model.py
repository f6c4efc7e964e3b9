"""A small linear model of faces: whose shape, which expression, and how the head is turned."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from services.fusion.domain.pose import HeadPose, Points, fit_pose
from services.fusion.domain.structure import DenseLandmarks, mean_face

_HIDDEN_WEIGHT = 0.1
_NOISE = 0.03
"""Expected error of a landmark in eye distances: what the modes' own deviations are weighed against."""
_MISREAD = 0.06
"""Distance from the model, in eye distances, at which a landmark counts half."""
_RIGID_SIGMA = 0.05
"""How far scale and place of the fitted pose may still move, in eye distances."""


@dataclass(frozen=True, eq=False)
class FaceModes:
    """Ways in which landmarks differ, each mode as long as one standard deviation.

    Attributes:
        identity: (I, 106, 3) from head to head, in the axes and unit of `MeanFace`.
        expression: (E, 106, 3) from the resting face to an expression.
    """

    identity: Points
    expression: Points


@dataclass(frozen=True, eq=False)
class FittedFace:
    """A face as the model sees it.

    Attributes:
        pose: how the head is turned.
        shape: (106, 3) the person's own resting face in the axes of `MeanFace`.
        expression: (E,) strength of each expression mode, in standard deviations.
    """

    pose: HeadPose
    shape: Points
    expression: Points

    def with_expression(self, expression: Points) -> Points:
        """Points (106, 3) of this person with an expression (E,)."""
        return np.asarray(self.shape + np.tensordot(expression, face_modes().expression, 1))


@cache
def face_modes() -> FaceModes:
    """The modes, from the file beside this one (`python -m starter.heads.face_modes` writes it)."""
    data = json.loads(Path(__file__).with_name("face_modes.json").read_text("utf-8"))
    return FaceModes(np.array(data["identity"], np.float64), np.array(data["expression"], np.float64))


def fit_face(dense: DenseLandmarks) -> FittedFace:
    """Pose, then shape and expression at once by least squares; hidden landmarks count little.

    The modes' deviations are a Gaussian prior, so that what one picture cannot tell stays the mean's
    (Blanz and Vetter, "A morphable model for the synthesis of 3D faces", 1999, for landmarks alone).
    """
    pose = fit_pose(dense)
    modes, mean = face_modes(), mean_face().points
    flat = (dense.points.astype(np.float64) - pose.shift_px) / pose.scale_px
    weights = np.where(dense.visibility > 0.5, 1.0, _HIDDEN_WEIGHT)
    free = np.concatenate([modes.identity, modes.expression])
    columns = np.concatenate([(free @ pose.rotation.T)[..., :2], _RIGID_SIGMA * _rigid(pose, mean)])
    seen = (mean @ pose.rotation.T)[:, :2]
    flat_columns, values = columns.reshape(len(columns), -1).T, flat - seen
    solved = _ridge(flat_columns, values.ravel(), np.repeat(weights, 2))
    # Once more with less of what does not fit: a misread mouth must not become an expression.
    missed = np.linalg.norm(values - np.tensordot(solved, columns, 1), axis=1)
    weights = weights / (1 + (missed / _MISREAD) ** 2)
    solved = _ridge(flat_columns, values.ravel(), np.repeat(weights, 2))
    identity, expression = solved[: len(modes.identity)], solved[len(modes.identity) : len(free)]
    growth, *shift = _RIGID_SIGMA * solved[len(free) :]
    refined = replace(
        pose, scale_px=pose.scale_px * (1 + growth), shift_px=pose.shift_px + pose.scale_px * np.array(shift)
    )
    rest = (flat - seen - np.tensordot(solved, columns, 1)) * np.minimum(weights, 1.0)[:, None]
    own = mean + np.tensordot(identity, modes.identity, 1)
    # What is left is seen in the picture's plane alone; it is turned back with the head.
    own = own + np.column_stack([rest, np.zeros(len(rest))]) @ pose.rotation
    return FittedFace(refined, own, expression)


def expression_distance(first: FittedFace, second: FittedFace) -> float:
    """Root mean square distance that the two expressions put between eyelids, brows and mouth.

    In eye distances; 0 for equal ones.
    """
    moved = np.tensordot(first.expression - second.expression, face_modes().expression, 1)
    gaps = (moved[_expressive()] ** 2).sum(-1)
    return float(np.sqrt(gaps.mean()))


@cache
def _expressive() -> npt.NDArray[np.int64]:
    return mean_face().indices(
        *("upper_lip", "lower_lip", "left_mouth", "right_mouth"),
        *("left_eye", "right_eye", "left_brow", "right_brow"),
    )


def _rigid(pose: HeadPose, mean: Points) -> Points:
    """Columns (3, 106, 2): growth, and shifts along x and y."""
    ones = np.ones(len(mean))
    seen = (mean @ pose.rotation.T)[:, :2]
    return np.stack([seen, np.column_stack([ones, 0 * ones]), np.column_stack([0 * ones, ones])])


def _ridge(columns: Points, values: Points, weights: Points) -> Points:
    """Strengths of *columns* (N, K) that explain *values* (N,) best, each drawn to 0 with deviation 1."""
    weighted = columns * weights[:, None]
    system = weighted.T @ columns + _NOISE**2 * np.eye(columns.shape[1])
    return np.asarray(np.linalg.solve(system, weighted.T @ values))
