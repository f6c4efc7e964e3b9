"""Haircuts by name, in the words of captions; kept apart from their geometry so that sampling stays light."""

import numpy as np

from starter.heads import palette
from starter.heads.arrays import Floats
from starter.heads.identity import Hair

FEMALE_STYLES = (
    *("bob", "long", "ponytail", "bun", "short", "afro", "side-part", "fringe", "wavy", "pixie", "braids"),
    *("pigtails", "locs", "wavy", "long", "undercut"),
)
MALE_STYLES = (
    *("short", "side-part", "spiky", "buzzcut", "bald", "slicked", "afro", "curtain", "undercut", "mohawk"),
    *("locs", "short", "side-part", "long", "bun"),
)
ALL_STYLES = (
    *("bob", "long", "ponytail", "bun", "short", "afro", "side-part", "fringe", "spiky", "buzzcut", "bald"),
    *("slicked", "curtain", "wavy", "pixie", "braids", "pigtails", "locs", "undercut", "mohawk"),
)
HIGHLIGHTS_SHARE = 0.18
"""People whose ends are lighter than their roots."""


def hair_of(rng: np.random.Generator, style: str, color: str, rgb: Floats) -> Hair:
    """Hair of a linear colour, the ends now and then lighter."""
    lightened = rng.random() < HIGHLIGHTS_SHARE and color not in ("black", "grey", "white")
    tips = rgb * 1.6 + 0.02 if lightened else rgb
    return Hair(style, color, palette.rgb(np.clip(rgb, 0, 1)), palette.rgb(np.clip(tips, 0, 0.9)))
