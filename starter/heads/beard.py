"""Strands of a full beard; shorter beards are paint only."""

import numpy as np

from starter.heads.arrays import Floats, Ints, normalised
from starter.heads.hair.strands import add_tubes
from starter.heads.mesh import Material, MeshBuilder
from starter.heads.regions import PAINT_MAP, reference
from starter.heads.surface import HeadSurface

STRANDS, POINTS = 420, 6


def add_beard(mesh: MeshBuilder, surface: HeadSurface, seed: int) -> None:
    """Add the strands of a full beard."""
    rng = np.random.default_rng([seed, 101])
    roots, angle = _roots(rng)
    normals = surface.normals[roots]
    length = rng.uniform(0.16, 0.3, STRANDS) * (0.6 + 0.4 * (1 - angle))
    points, tips, heading = [surface.skin[roots]], surface.skin[roots].copy(), normals * 0.5
    for _ in range(1, POINTS):
        wish = np.array([0, -1.0, 0.12]) + normals * 0.25 + rng.normal(0, 0.12, (STRANDS, 3))
        heading = normalised(0.5 * heading + 0.5 * wish)
        tips = tips + heading * (length / (POINTS - 1))[:, None]
        points.append(tips + normals * 0.015)
    lines = np.stack(points, axis=1)
    taper = np.clip(1 - np.linspace(0, 1, POINTS), 0.06, 1)[None] ** 0.6
    width = rng.uniform(0.035, 0.06, STRANDS)[:, None] * taper
    outward = np.repeat(normals[:, None], POINTS, axis=1)
    add_tubes(mesh, Material.BEARD, lines, width, width * 0.5, outward, rng)


def _roots(rng: np.random.Generator) -> tuple[Ints, Floats]:
    """Skin vertices of jaw and chin, and their angle from the front."""
    ref = reference()
    x, y, z = ref.points.T
    angle = np.abs(np.arctan2(x, z - PAINT_MAP.axis_z))
    bare = (ref.lips < 0.2) & (ref.mouth < 0.2) & (ref.ears < 0.1)
    jaw = (y > 6.02) & (y < 6.5 + 0.55 * np.clip(angle - 0.35, 0, 1)) & (angle < 1.35) & (z > 0.35)
    clear_of_lips = (y < ref.lip_bottom - 0.05) | (angle > 0.42)
    chosen = rng.choice(np.flatnonzero(bare & jaw & clear_of_lips), STRANDS)
    return chosen, angle[chosen]
