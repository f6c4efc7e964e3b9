"""Facial expressions as weights of facial actions (ARKit names)."""

from collections.abc import Mapping
from typing import Literal, get_args

Expression = Literal[
    "neutral", "smile", "grin", "surprise", "frown", "smirk", "pucker", "sneer", "squint", "sad"
]
EXPRESSIONS: tuple[Expression, ...] = get_args(Expression)

# MakeHuman's untouched face looks stern; every expression starts from this friendlier one.
RESTING: Mapping[str, float] = {
    "browInnerUp": 0.18,
    "mouthSmileLeft": 0.12,
    "mouthSmileRight": 0.12,
    "eyeWideLeft": 0.15,
    "eyeWideRight": 0.15,
}


def _both(**weights: float) -> dict[str, float]:
    return {f"{action}{side}": weight for action, weight in weights.items() for side in ("Left", "Right")}


ACTIONS: Mapping[Expression, Mapping[str, float]] = {
    "neutral": {},
    "smile": _both(mouthSmile=0.58, cheekSquint=0.3),
    "grin": {"jawOpen": 0.12, **_both(mouthSmile=0.68, mouthUpperUp=0.4, cheekSquint=0.4)},
    "surprise": {"jawOpen": 0.4, "browInnerUp": 0.8, **_both(browOuterUp=0.7, eyeWide=0.6)},
    "frown": _both(mouthFrown=0.5, browDown=0.7),
    "smirk": {"mouthSmileLeft": 0.7, "mouthDimpleLeft": 0.4, "browOuterUpRight": 0.5},
    "pucker": {"mouthPucker": 0.6},
    "sneer": {"mouthUpperUpLeft": 0.2, **_both(noseSneer=0.6)},
    "squint": _both(eyeSquint=0.7, mouthPress=0.4),
    "sad": {"browInnerUp": 0.8, **_both(mouthFrown=0.5)},
}


def action_weights(expression: Expression, strength: float = 1.0) -> dict[str, float]:
    """Weights of all facial actions; `strength` scales the expression, not the resting face."""
    weights = dict(RESTING)
    for action, weight in ACTIONS[expression].items():
        weights[action] = weights.get(action, 0.0) + strength * weight
    return weights
