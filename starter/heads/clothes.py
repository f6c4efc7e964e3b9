"""A top: the torso's skin pushed outwards; the shader cuts the neckline into it."""

import numpy as np

from starter.heads.arrays import smoothstep
from starter.heads.mesh import Material, MeshBuilder, subset
from starter.heads.regions import reference
from starter.heads.surface import HeadSurface

THICKNESS = 0.075  # decimetres


def add_top(mesh: MeshBuilder, surface: HeadSurface) -> None:
    """Add the shell up to just above the highest neckline."""
    ref = reference()
    x, y, z = ref.points.T
    level = y + 0.62 * smoothstep(-0.25, 0.62, z) - 0.62 * smoothstep(0.22, 1.0, np.abs(x))
    covered = (level < 6.4) & (y < 6.3)
    used, triangles = subset(ref.triangles, np.flatnonzero(covered[ref.triangles].all(axis=1)))
    points = surface.skin[used] + surface.normals[used] * THICKNESS
    mesh.add(Material.CLOTH, points, surface.normals[used], triangles, ref.points[used])
