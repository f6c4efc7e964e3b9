"""How landmarks differ from head to head, and how an expression moves them: a small linear face model.

`python -m starter.heads.face_modes FILE` writes it for services/fusion, beside the mean face; run it again
when the landmarks, the expressions or the population of characters change. Identity and expression are
separate linear modes, as in Blanz and Vetter, "A morphable model for the synthesis of 3D faces" (1999).
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from starter.heads.arrays import Floats
from starter.heads.dataset import identity_of, view_of
from starter.heads.expressions import EXPRESSIONS, Expression
from starter.heads.head import build_head
from starter.heads.mean_face import SCHEME
from starter.heads.places import LANDMARK_NAMES, sides_swapped
from starter.heads.truth import landmark_points
from starter.heads.view import Pose

_CHARACTERS, _ACTORS = 150, 40
_IDENTITY_MODES, _EXPRESSION_MODES = 16, 8


def points_of(seed: int, number: int, expressions: tuple[Expression, ...]) -> Floats:
    """Landmarks (E, 106, 3) of a character that looks ahead, in the axes and unit of the mean face.

    All are in the frame of the neutral face, whose pupils lie half a unit left and right of the origin.
    """
    identity = identity_of(seed, number)
    view = view_of(seed, number, 0, identity)
    pose = Pose(0.0, 0.0, 0.0)
    shapes = []
    for expression in ("neutral", *expressions):
        ahead = replace(view, pose=pose, expression=expression, expression_strength=1.0)
        shapes.append(landmark_points(identity.brows, build_head(identity, ahead)).astype(np.float64))
    left, right = (shapes[0][LANDMARK_NAMES.index(f"{side}_pupil")] for side in ("left", "right"))
    unit = np.linalg.norm(right - left)
    return np.asarray((np.stack(shapes) - (left + right) / 2) / unit * [1, -1, 1])


def modes_of(offsets: Floats, count: int) -> tuple[Floats, float]:
    """Principal modes (count, 106, 3) of offsets (N, 106, 3), each as long as its standard deviation.

    Also the share of the offsets' variance that they hold.
    """
    flat = offsets.reshape(len(offsets), -1)
    _, singular, rows = np.linalg.svd(flat, full_matrices=False)
    deviation = singular[:count] / np.sqrt(len(flat))
    held = float((singular[:count] ** 2).sum() / (singular**2).sum())
    return (rows[:count] * deviation[:, None]).reshape(count, *offsets.shape[1:]), held


def face_modes(seed: int = 1, characters: int = _CHARACTERS, actors: int = _ACTORS) -> dict[str, Any]:
    """Scheme, identity modes and expression modes; mirrored heads count as heads too."""
    swapped, flip = sides_swapped(), np.array([-1.0, 1.0, 1.0])
    posed = tuple(name for name in EXPRESSIONS if name != "neutral")
    acted = [points_of(seed, number, posed) for number in range(actors)]
    moved = np.concatenate([shapes[1:] - shapes[0] for shapes in acted])
    neutral = [shapes[0] for shapes in acted]
    neutral += [points_of(seed, number, ())[0] for number in range(actors, characters)]
    offsets = np.stack(neutral) - np.mean(neutral, axis=0)
    identity, of_identity = modes_of(np.concatenate([offsets, offsets[:, swapped] * flip]), _IDENTITY_MODES)
    expression, of_expression = modes_of(np.concatenate([moved, moved[:, swapped] * flip]), _EXPRESSION_MODES)
    return {
        "scheme": SCHEME,
        "held": {"identity": round(of_identity, 3), "expression": round(of_expression, 3)},
        "identity": identity.round(4).tolist(),
        "expression": expression.round(4).tolist(),
    }


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(face_modes()) + "\n")
