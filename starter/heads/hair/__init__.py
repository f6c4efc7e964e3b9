"""Procedural hair: a thin cap over the scalp, and strands, curls or knots on top of it."""

import numpy as np

from starter.heads.hair.afro import add_afro
from starter.heads.hair.cap import add_cap
from starter.heads.hair.knots import add_braids, add_bun, add_pigtails, add_ponytail, knots_of
from starter.heads.hair.names import ALL_STYLES
from starter.heads.hair.strands import add_strands
from starter.heads.hair.styles import CAP_THICKNESS, CUTS, quirks_of
from starter.heads.mesh import MeshBuilder
from starter.heads.surface import HeadSurface

__all__ = ["ALL_STYLES", "add_hair"]


def add_hair(mesh: MeshBuilder, surface: HeadSurface, style: str, seed: int, eye_y: float) -> None:
    """Add the haircut `style`; `seed` settles parting, volume and single strands, `eye_y` bounds a fringe.

    Raises KeyError for a style that is not in ALL_STYLES.
    """
    if style == "bald":
        return
    thickness = CAP_THICKNESS[style]
    rng, quirks = np.random.default_rng([seed, ALL_STYLES.index(style)]), quirks_of(seed)
    add_cap(mesh, surface, quirks, thickness)
    if style == "buzzcut":
        return
    if style == "afro":
        add_afro(mesh, surface, quirks, rng)
        return
    knots = knots_of(style, surface, quirks)
    add_strands(mesh, surface, CUTS[style], quirks, rng, eye_y, knots)
    if style == "bun":
        add_bun(mesh, surface, knots[0], quirks, rng)
    if style == "ponytail":
        add_ponytail(mesh, surface, knots[0], rng)
    if style == "pigtails":
        add_pigtails(mesh, surface, knots, rng)
    if style == "braids":
        add_braids(mesh, surface, knots, rng)
