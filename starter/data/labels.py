"""The closed vocabulary of what a rendered portrait can show."""

from __future__ import annotations

from collections.abc import Mapping

LABELS: Mapping[str, tuple[str, ...]] = {
    "sex": ("female", "male"),
    "age": ("young", "middle-aged", "elderly"),
    "skin": ("light", "tan", "brown", "dark"),
    "hair_style": (
        "bald", "buzzcut", "short", "spiky", "slicked", "side-part", "curtain", "bob", "long", "fringe",
        "ponytail", "bun", "afro", "wavy", "pixie", "braids", "pigtails", "locs", "undercut", "mohawk",
        "hidden",
    ),
    "hair_color": (
        "black", "dark brown", "brown", "auburn", "blonde", "red", "grey", "blue", "pink", "white",
        "platinum", "green", "purple",
    ),
    "eye_color": ("brown", "dark brown", "hazel", "green", "blue", "grey"),
    "beard": ("none", "stubble", "moustache", "goatee", "full"),
    "glasses": ("none", "round", "square", "half-rim", "sunglasses"),
    "hat": ("none", "cap", "beanie", "wide-brim", "headscarf"),
    "earrings": ("none", "studs", "hoops"),
}  # fmt: skip
"""Attribute -> its words, in the order of the attribute net's logits. Hair under a headscarf is "hidden"."""

SCENE_LABELS: Mapping[str, tuple[str, ...]] = {
    "expression": (
        "neutral", "smile", "grin", "surprise", "frown", "smirk", "pucker", "sneer", "squint", "sad",
    ),
    "background": (
        "white", "grey", "black", "red", "orange", "yellow", "green", "teal", "blue", "navy", "purple",
        "pink", "beige", "sky", "sunset", "forest", "city at night", "library", "living room",
    ),
    "clothes_color": (
        "white", "grey", "black", "red", "orange", "yellow", "green", "blue", "navy", "purple", "pink",
        "brown",
    ),
    "clothes_cut": ("t-shirt", "turtleneck", "collared shirt", "suit", "hoodie"),
    "facing": ("left", "forward", "right"),
}  # fmt: skip
"""What a whole portrait shows beside the person, in the order of the scene net's logits."""

ABSENT: Mapping[str, object] = {"hat": "none", "hat_color": "none", "earrings": "none", "scar": False}
"""What a record says that was written before these attributes were known."""

GLASSES_WORDS: Mapping[str, str] = {
    "none": "no glasses",
    "round": "round glasses",
    "square": "square glasses",
    "half-rim": "half-rim glasses",
    "sunglasses": "sunglasses",
}
HAT_WORDS: Mapping[str, str] = {
    "cap": "cap",
    "beanie": "beanie",
    "wide-brim": "wide-brim hat",
    "headscarf": "headscarf",
}
EARRING_WORDS: Mapping[str, str] = {"studs": "stud earrings", "hoops": "hoop earrings"}
CLOTHES_WORDS: Mapping[str, str] = {
    "t-shirt": "shirt",
    "turtleneck": "turtleneck",
    "collared shirt": "collared shirt",
    "suit": "suit",
    "hoodie": "hoodie",
}
"""Cut of the clothes -> the word after their colour."""

BACKDROP_WORDS: Mapping[str, str] = {
    "gradient": "{} gradient",
    "spotlight": "{} spotlight",
    "lights": "{} lights",
}
"""How a coloured background is drawn -> its words around the colour; a plain one needs none."""

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

BACKGROUNDS = SCENE_LABELS["background"]
"""Colours, then places."""
CLOTHES_CUTS = tuple(CLOTHES_WORDS)
CLOTHES_COLORS = SCENE_LABELS["clothes_color"]
LIGHTS = ("soft light", "warm light", "cool light", "dramatic light")
FACING_LIMIT_DEG = 10.0
"""A head turned further than this is "facing left" or "facing right" (the viewer's)."""
