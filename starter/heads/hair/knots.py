"""What hangs on gathered hair: the bun and the tail."""

import numpy as np

from starter.heads.arrays import Floats, normalised
from starter.heads.hair.strands import POINTS, add_tubes
from starter.heads.hair.styles import Quirks
from starter.heads.mesh import Material, MeshBuilder
from starter.heads.regions import reference, scalp
from starter.heads.surface import HeadSurface

BUN_STRANDS, TAIL_STRANDS = 160, 170


def has_high_bun(quirks: Quirks) -> bool:
    """Two of three people wear a bun on top, the others behind."""
    return quirks.variant != 0


def knot_of(style: str, surface: HeadSurface, quirks: Quirks) -> Floats:
    """Where the strands of a bun or tail meet (3,); other styles ignore it."""
    x, y, z = reference().points[scalp()].T
    if style == "bun" and has_high_bun(quirks):
        place = np.argmax(y - 0.35 * np.abs(z + 0.1))
        return np.asarray(surface.skin[scalp()[place]] + [0, 0.02, -0.12])
    place = np.argmin(z - 0.25 * y)
    del x
    return np.asarray(surface.skin[scalp()[place]] + [0, 0, -0.12])


def add_bun(
    mesh: MeshBuilder, surface: HeadSurface, knot: Floats, quirks: Quirks, rng: np.random.Generator
) -> None:
    """Add a ball of strands that wind around its centre."""
    size = surface.half_depth
    shift = np.array([0, 0.22, -0.08]) if has_high_bun(quirks) else np.array([0, 0, -0.22])
    axis = normalised(rng.normal(0, 1, (BUN_STRANDS, 3)) * [0.35, 1, 0.35])
    start = normalised(np.cross(axis, rng.normal(0, 1, (BUN_STRANDS, 3))))
    onward = np.cross(axis, start)
    turn = np.linspace(0, 2.56, POINTS)[None, :, None]
    circle = start[:, None] * np.cos(turn) + onward[:, None] * np.sin(turn)
    centre = knot + shift * size
    lines = centre + 0.34 * size * circle * rng.uniform(0.75, 1, BUN_STRANDS)[:, None, None]
    _add_loose(mesh, lines, centre, size, rng)


def add_ponytail(mesh: MeshBuilder, surface: HeadSurface, knot: Floats, rng: np.random.Generator) -> None:
    """Add strands that fall from the knot, first away from the head."""
    size = surface.half_depth
    centre = knot + np.array([0, 0.05, -0.1]) * size
    t = np.linspace(0, 1, POINTS)[None, :, None]
    length = rng.uniform(1.3, 2.1, (TAIL_STRANDS, 1, 1)) * size
    away = np.sin(2.2 * t) * np.array([0, 0.25, -0.55]) * size
    spread = (rng.normal(0, 0.22, (TAIL_STRANDS, 3)) * [1, 0.3, 0.8])[:, None]
    lines = centre + (rng.normal(0, 0.07, (TAIL_STRANDS, 3)) * size)[:, None] + away
    lines = lines + t * length * np.array([0, -1, 0]) + spread * 1.3 * t * (1 - 0.5 * t) * size * 0.8
    _add_loose(mesh, lines, centre, size, rng)


def _add_loose(
    mesh: MeshBuilder, lines: Floats, centre: Floats, size: float, rng: np.random.Generator
) -> None:
    taper = np.clip(1.05 - np.linspace(0, 1, POINTS), 0.08, 1)[None] ** 0.5
    width = np.full((len(lines), POINTS), 0.075 * size) * taper
    add_tubes(mesh, Material.HAIR, lines, width, width * 0.5, normalised(lines - centre), rng)
