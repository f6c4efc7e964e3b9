"""One picture of a character: what may change from picture to picture."""

from dataclasses import dataclass

import numpy as np

from starter.heads import palette
from starter.heads.expressions import Expression
from starter.heads.glasses import Glasses
from starter.heads.hair.names import FEMALE_STYLES, MALE_STYLES
from starter.heads.identity import Hair, Identity
from starter.heads.scene import Scene, sample_scene

EXPRESSION_SHARES: dict[Expression, float] = {
    "neutral": 0.34,
    "smile": 0.28,
    "grin": 0.18,
    "surprise": 0.1,
    "frown": 0.1,
}
OTHER_HAIR_SHARE = 0.25
GLASSES_SHARE = 0.2
YAW_LIMIT_DEG = 28
_HAIR_COLORS = ("black", "dark brown", "brown", "auburn", "blonde", "red", "blue", "pink", "grey")
_HAIR_SHARES = (0.2, 0.2, 0.16, 0.1, 0.14, 0.1, 0.03, 0.03, 0.04)


@dataclass(frozen=True)
class Pose:
    """Degrees. Yaw > 0 turns the face to the viewer's right, pitch > 0 down, roll > 0 towards the left.

    gaze: of the eyes relative to the head, (to the viewer's right, up).
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    gaze: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class View:
    """Hair, glasses, expression, pose and scene of one picture."""

    hair: Hair
    glasses: Glasses
    expression: Expression
    expression_strength: float
    pose: Pose
    scene: Scene


def sample_view(rng: np.random.Generator, identity: Identity) -> View:
    """Draw one view; hair and glasses vary, because neither is identity."""
    other_hair = rng.random() < OTHER_HAIR_SHARE
    glasses: Glasses = "none"
    if rng.random() < GLASSES_SHARE:
        glasses = "round" if rng.random() < 0.5 else "square"
    expressions = list(EXPRESSION_SHARES)
    return View(
        hair=sample_hair(rng, identity) if other_hair else identity.hair,
        glasses=glasses,
        expression=expressions[rng.choice(len(expressions), p=list(EXPRESSION_SHARES.values()))],
        expression_strength=float(rng.uniform(0.85, 1.1)),
        pose=sample_pose(rng),
        scene=sample_scene(rng),
    )


def sample_hair(rng: np.random.Generator, identity: Identity) -> Hair:
    """Another haircut for the same person."""
    style = str(rng.choice(FEMALE_STYLES if identity.body.sex == "female" else MALE_STYLES))
    color = str(rng.choice(_HAIR_COLORS, p=_HAIR_SHARES))
    return Hair(style, color, palette.rgb(np.array(palette.HAIR[color]) * rng.uniform(0.85, 1.2)))


def sample_pose(rng: np.random.Generator) -> Pose:
    """A mild pose; the eyes mostly stay on the viewer."""
    yaw = float(np.clip(rng.normal(0, 11), -YAW_LIMIT_DEG, YAW_LIMIT_DEG))
    gaze = (float(rng.normal(0, 2)) - 0.8 * yaw, float(rng.normal(0, 2)))
    return Pose(yaw, float(rng.normal(0, 4)), float(rng.normal(0, 2)), gaze)
