"""One picture of a character: what may change from picture to picture."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from starter.heads import palette
from starter.heads.earrings import EARRINGS, METALS, Earrings
from starter.heads.expressions import Expression
from starter.heads.glasses import Glasses
from starter.heads.hair.names import FEMALE_STYLES, MALE_STYLES, hair_of
from starter.heads.headwear import HatKind, Headwear
from starter.heads.identity import Hair, Identity
from starter.heads.scene import Scene, sample_scene

_T = TypeVar("_T")
EXPRESSION_SHARES: dict[Expression, float] = {
    "neutral": 0.30,
    "smile": 0.28,
    "grin": 0.17,
    "surprise": 0.09,
    "frown": 0.08,
    "sad": 0.04,
    "smirk": 0.04,
}
OTHER_HAIR_SHARE = 0.25
GLASSES_SHARES: dict[Glasses, float] = {
    "none": 0.78,
    "round": 0.07,
    "square": 0.06,
    "half-rim": 0.05,
    "sunglasses": 0.04,
}
HAT_SHARES: dict[HatKind, float] = {
    "none": 0.84,
    "cap": 0.05,
    "beanie": 0.045,
    "wide-brim": 0.035,
    "headscarf": 0.03,
}
EARRING_SHARES = {"female": (0.6, 0.2, 0.2), "male": (0.93, 0.05, 0.02)}  # in the order of EARRINGS
YAW_LIMIT_DEG = 28
_TALL_HAIR = ("afro", "mohawk", "spiky", "bun", "pigtails", "undercut", "ponytail")
"""Cuts that no hat fits over."""
_HAIR_COLORS = (
    *("black", "dark brown", "brown", "auburn", "blonde", "red", "blue", "pink", "grey", "platinum", "green"),
    *("purple", "white"),
)
_HAIR_SHARES = (0.18, 0.18, 0.15, 0.09, 0.12, 0.09, 0.03, 0.03, 0.03, 0.04, 0.02, 0.02, 0.02)


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
    """Hair, glasses, expression, pose and scene of one picture; hat and earrings if any."""

    hair: Hair
    glasses: Glasses
    expression: Expression
    expression_strength: float
    pose: Pose
    scene: Scene
    hat: Headwear = field(default_factory=Headwear)
    earrings: Earrings = field(default_factory=Earrings)


def sample_view(rng: np.random.Generator, identity: Identity) -> View:
    """Draw one view; hair, hats, glasses and earrings vary, because none of them is identity."""
    other_hair = rng.random() < OTHER_HAIR_SHARE
    hair = sample_hair(rng, identity) if other_hair else identity.hair
    hat = sample_hat(rng, identity)
    if hat.kind != "none" and hair.style in _TALL_HAIR:
        hair = replace(hair, style="long" if identity.body.sex == "female" else "short")
    return View(
        hair=hair,
        glasses=_pick(rng, GLASSES_SHARES),
        expression=_pick(rng, EXPRESSION_SHARES),
        expression_strength=float(rng.uniform(0.85, 1.1)),
        pose=sample_pose(rng),
        scene=sample_scene(rng),
        hat=hat,
        earrings=sample_earrings(rng, identity),
    )


def _pick(rng: np.random.Generator, shares: Mapping[_T, float]) -> _T:
    return list(shares)[rng.choice(len(shares), p=list(shares.values()))]


def sample_hat(rng: np.random.Generator, identity: Identity) -> Headwear:
    """A hat or none; headscarves for women only, band and fold sometimes in another colour."""
    kind = _pick(rng, HAT_SHARES)
    if kind == "headscarf" and identity.body.sex == "male":
        kind = "beanie"
    color = str(rng.choice(list(palette.CLOTHES)))
    rgb = palette.linear(palette.CLOTHES[color]) * rng.uniform(0.7, 0.9) + 0.008
    second = rgb
    if rng.random() < 0.4 or kind == "wide-brim":
        second = palette.linear(palette.CLOTHES[str(rng.choice(list(palette.CLOTHES)))]) * 0.8 + 0.008
    return Headwear(kind, color, palette.rgb(rgb), palette.rgb(second))


def sample_earrings(rng: np.random.Generator, identity: Identity) -> Earrings:
    """Earrings or none."""
    kind = EARRINGS[rng.choice(len(EARRINGS), p=EARRING_SHARES[identity.body.sex])]
    return Earrings(kind, METALS[rng.integers(len(METALS))])


def sample_hair(rng: np.random.Generator, identity: Identity) -> Hair:
    """Another haircut for the same person."""
    style = str(rng.choice(FEMALE_STYLES if identity.body.sex == "female" else MALE_STYLES))
    color = str(rng.choice(_HAIR_COLORS, p=_HAIR_SHARES))
    return hair_of(rng, style, color, np.array(palette.HAIR[color]) * rng.uniform(0.85, 1.2))


def sample_pose(rng: np.random.Generator) -> Pose:
    """A mild pose; the eyes mostly stay on the viewer."""
    yaw = float(np.clip(rng.normal(0, 11), -YAW_LIMIT_DEG, YAW_LIMIT_DEG))
    gaze = (float(rng.normal(0, 2)) - 0.8 * yaw, float(rng.normal(0, 2)))
    return Pose(yaw, float(rng.normal(0, 4)), float(rng.normal(0, 2)), gaze)
