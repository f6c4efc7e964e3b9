"""The mean head's dense landmarks in space: what a pose is fitted to.

`python -m starter.heads.mean_face FILE` writes it for services/fusion; run it again when the landmarks or the
population of characters change.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import Delaunay

from starter.heads.arrays import Floats
from starter.heads.dataset import identity_of, view_of
from starter.heads.head import build_head
from starter.heads.places import LANDMARK_NAMES
from starter.heads.truth import landmark_points
from starter.heads.view import Pose

SCHEME = "likeness-106"
_CHARACTERS = 150


def neutral_landmarks(seed: int, number: int) -> Floats:
    """Landmarks (106, 3) of a character that looks ahead without expression, in eye distances.

    The origin is the middle between the pupils; x to the viewer's right, y downwards, z to the viewer.
    """
    identity = identity_of(seed, number)
    view = view_of(seed, number, 0, identity)
    ahead = replace(view, pose=Pose(0.0, 0.0, 0.0), expression="neutral", expression_strength=0.0)
    points = landmark_points(identity.brows, build_head(identity, ahead)).astype(np.float64)
    left, right = (points[LANDMARK_NAMES.index(f"{side}_pupil")] for side in ("left", "right"))
    points = (points - (left + right) / 2) / np.linalg.norm(right - left)
    return np.asarray(points * [1, -1, 1])


def mean_face(seed: int = 1, characters: int = _CHARACTERS) -> dict[str, Any]:
    """Scheme, names, mean points, their spread, and triangles over the front without the inner mouth."""
    shapes = np.stack([neutral_landmarks(seed, number) for number in range(characters)])
    mean = shapes.mean(axis=0)
    outside = [i for i, name in enumerate(LANDMARK_NAMES) if "inner" not in name or "eye" in name]
    triangles = np.array(outside)[Delaunay(mean[outside, :2]).simplices]
    return {
        "scheme": SCHEME,
        "names": list(LANDMARK_NAMES),
        "points": mean.round(4).tolist(),
        "spread": shapes.std(axis=0).mean(axis=-1).round(4).tolist(),
        "triangles": triangles.tolist(),
    }


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(mean_face()) + "\n")
