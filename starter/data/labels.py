"""The closed vocabulary of what a rendered portrait can show."""

from __future__ import annotations

from collections.abc import Mapping

LABELS: Mapping[str, tuple[str, ...]] = {
    "sex": ("female", "male"),
    "age": ("young", "middle-aged", "elderly"),
    "skin": ("light", "tan", "brown", "dark"),
    "hair_style": (
        "bald", "buzzcut", "short", "spiky", "slicked", "side-part", "curtain", "bob", "long", "fringe",
        "ponytail", "bun", "afro",
    ),
    "hair_color": ("black", "dark brown", "brown", "auburn", "blonde", "red", "grey", "blue", "pink"),
    "eye_color": ("brown", "dark brown", "hazel", "green", "blue", "grey"),
    "beard": ("none", "stubble", "moustache", "goatee", "full"),
    "glasses": ("none", "round", "square"),
}  # fmt: skip
"""Attribute -> its words, in the order of the attribute net's logits."""

EXPRESSIONS: Mapping[str, str] = {
    "neutral": "neutral expression",
    "smile": "smiling",
    "grin": "grinning",
    "surprise": "surprised",
    "frown": "frowning",
    "smirk": "smirking",
    "pucker": "puckered lips",
    "sneer": "sneering",
    "squint": "squinting",
    "sad": "sad",
}
"""Expression of the renderer -> the words for it."""

BACKGROUNDS = (
    "white", "grey", "black", "red", "orange", "yellow", "green", "teal", "blue", "navy", "purple", "pink",
    "beige",
)  # fmt: skip
CLOTHES_COLORS = (
    "white", "grey", "black", "red", "orange", "yellow", "green", "blue", "navy", "purple", "pink", "brown",
)  # fmt: skip
LIGHTS = ("soft light", "warm light", "cool light", "dramatic light")
FACING_LIMIT_DEG = 10.0
"""A head turned further than this is "facing left" or "facing right" (the viewer's)."""
