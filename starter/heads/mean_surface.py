"""The mean head's face as a relief: how deep the skin lies between the dense landmarks.

`python -m starter.heads.mean_surface FILE` writes it for services/fusion, in the axes and the unit of the
mean face (`starter.heads.mean_face`); run it again when the population of characters changes.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator

from starter.heads.arrays import Floats
from starter.heads.dataset import identity_of, view_of
from starter.heads.head import build_head
from starter.heads.places import LANDMARK_NAMES
from starter.heads.regions import faces_outwards, reference
from starter.heads.truth import landmark_points
from starter.heads.view import Pose

_CHARACTERS = 60
_STEP = 0.05
_LEFT, _RIGHT, _TOP, _BOTTOM = -1.3, 1.3, -1.35, 1.9


def neutral_skin(seed: int, number: int) -> Floats:
    """Skin (m, 3) of a character that looks ahead without expression, in the axes of the mean face."""
    identity = identity_of(seed, number)
    view = view_of(seed, number, 0, identity)
    ahead = replace(view, pose=Pose(0.0, 0.0, 0.0), expression="neutral", expression_strength=0.0)
    head = build_head(identity, ahead)
    points = landmark_points(identity.brows, head).astype(np.float64)
    left, right = (points[LANDMARK_NAMES.index(f"{side}_pupil")] for side in ("left", "right"))
    unit = np.linalg.norm(right - left)
    return np.asarray((head.skin - (left + right) / 2) / unit * [1, -1, 1])


def mean_surface(seed: int = 1, characters: int = _CHARACTERS) -> dict[str, Any]:
    """Depth of the mean skin over a grid, rows from top to bottom; first place and step of the grid."""
    mean = np.mean([neutral_skin(seed, number) for number in range(characters)], axis=0)
    ref = reference()
    front = (ref.points[:, 2] > 0.3) & (ref.mouth < 0.3) & (ref.ears < 0.3) & faces_outwards()
    places, depths = mean[front, :2], mean[front, 2]
    x, y = np.arange(_LEFT, _RIGHT + 1e-6, _STEP), np.arange(_TOP, _BOTTOM + 1e-6, _STEP)
    grid = np.stack(np.meshgrid(x, y), axis=-1)
    inner = LinearNDInterpolator(places, depths)(grid)
    outer = NearestNDInterpolator(places, depths)(grid)
    depth = np.where(np.isnan(inner), outer, inner)
    return {"x": _LEFT, "y": _TOP, "step": _STEP, "depth": depth.round(3).tolist()}


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(mean_surface()) + "\n")
