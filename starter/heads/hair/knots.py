"""What hangs on gathered hair: the bun and the tail."""

import numpy as np

from starter.heads.arrays import Floats, normalised, smoothstep
from starter.heads.hair.strands import POINTS, add_tubes
from starter.heads.hair.styles import Quirks
from starter.heads.mesh import Material, MeshBuilder
from starter.heads.regions import reference, scalp
from starter.heads.surface import HeadSurface

BUN_STRANDS, TAIL_STRANDS = 160, 170


def has_high_bun(quirks: Quirks) -> bool:
    """Two of three people wear a bun on top, the others behind."""
    return quirks.variant != 0


def knots_of(style: str, surface: HeadSurface, quirks: Quirks) -> Floats:
    """Where the strands right (-x) and left of the parting meet, (2, 3); styles without a knot ignore it."""
    if style not in ("braids", "pigtails"):
        return np.repeat(knot_of(style, surface, quirks)[None], 2, axis=0)
    x, y, z = reference().points.T
    target = (0.62, 6.75, 0.05) if style == "braids" else (0.68, 7.55, 0.15)
    knots = []
    for side in (-1, 1):
        far = np.hypot(np.hypot(x * side - target[0], y - target[1]), z - target[2])
        far[reference().ears > 0.1] = 9
        place = int(np.argmin(far))
        knots.append(surface.skin[place] + 0.09 * surface.normals[place])
    return np.stack(knots)


def knot_of(style: str, surface: HeadSurface, quirks: Quirks) -> Floats:
    """Where the strands of a bun or tail meet (3,)."""
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


def add_pigtails(mesh: MeshBuilder, surface: HeadSurface, knots: Floats, rng: np.random.Generator) -> None:
    """Add a loose tail at each side."""
    size, count = surface.half_depth, TAIL_STRANDS // 2
    t = np.linspace(0, 1, POINTS)[None, :, None]
    for side, knot in zip((-1, 1), knots, strict=True):
        length = rng.uniform(0.9, 1.35, (count, 1, 1)) * size
        away = np.sin(2.4 * t) * np.array([side * 0.42, 0.12, 0.05]) * size
        spread = (rng.normal(0, 0.17, (count, 3)) * [0.8, 0.3, 0.8])[:, None]
        lines = knot + (rng.normal(0, 0.05, (count, 3)) * size)[:, None] + away
        lines = (
            lines
            + t * length * np.array([side * 0.15, -1, 0.08])
            + spread * 1.3 * np.sin(2.6 * t) * size * 0.7
        )
        _add_loose(mesh, lines, knot, size, rng)


def add_braids(mesh: MeshBuilder, surface: HeadSurface, knots: Floats, rng: np.random.Generator) -> None:
    """Add a braid of three thick strands at each side, hanging over the shoulders in front."""
    size, steps = surface.half_depth, 40
    t = np.linspace(0, 1, steps)
    for side, knot in zip((-1, 1), knots, strict=True):
        path = knot + np.stack(
            [side * (0.10 * np.sin(2.5 * t)), -1.75 * t, 0.75 * np.sin(1.7 * t) ** 2 * smoothstep(0, 1, t)],
            axis=1,
        )
        turns = t * 2 * np.pi * 4.5
        lines = []
        for strand in range(3):
            phase = turns + strand * 2 * np.pi / 3
            weave = np.stack([0.105 * np.sin(phase), 0 * t, 0.055 * np.sin(2 * phase)], axis=1)
            lines.append(path + weave * (1 - 0.25 * t)[:, None])
        width = (
            np.full((3, steps), 0.095 * size * 1.15)
            * (1 - 0.35 * t)
            * np.where(t > 0.93, (1 - t) * 12 + 0.2, 1)
        )
        outward = np.broadcast_to(np.array([side * 0.3, 0, 1.0]), (3, steps, 3))
        add_tubes(mesh, Material.HAIR, np.stack(lines), width, width * 0.85, outward, rng)


def _add_loose(
    mesh: MeshBuilder, lines: Floats, centre: Floats, size: float, rng: np.random.Generator
) -> None:
    taper = np.clip(1.05 - np.linspace(0, 1, POINTS), 0.08, 1)[None] ** 0.5
    width = np.full((len(lines), POINTS), 0.075 * size) * taper
    add_tubes(mesh, Material.HAIR, lines, width, width * 0.5, normalised(lines - centre), rng)
