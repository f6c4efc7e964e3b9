"""The shell under the strands, so that no scalp shines through."""

import numpy as np

from starter.heads.arrays import Floats, smoothstep
from starter.heads.hair.styles import Quirks
from starter.heads.mesh import Material, MeshBuilder, subset, vertex_normals
from starter.heads.regions import HAIRLINE_Y, above_hairline, reference
from starter.heads.surface import HeadSurface

CAP_KIND = 0.0  # what shaders/material.glsl reads from the third reference component
_COMBED = np.array([0, -0.6, -0.8])


def add_cap(mesh: MeshBuilder, surface: HeadSurface, quirks: Quirks, thickness: float) -> None:
    """Add the scalp raised by up to `thickness` decimetres; the shader trims its edge at the hairline."""
    ref = reference()
    height = cap_height(quirks)
    points = surface.skin + surface.normals * (smoothstep(-0.02, 0.32, height) * thickness - 0.010)[:, None]
    kept = np.flatnonzero((height > -0.03)[ref.triangles].all(axis=1))
    used, triangles = subset(ref.triangles, kept)
    normals = vertex_normals(points[used], triangles)
    along = _COMBED - (surface.normals[used] @ _COMBED)[:, None] * surface.normals[used]
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-6
    shade = np.column_stack([height[used], np.full(len(used), 0.5), np.full(len(used), CAP_KIND)])
    data = np.column_stack([along, np.full(len(used), 0.15)])
    mesh.add(Material.HAIR, points[used], normals, triangles, shade, data, is_cut=True)


def cap_height(quirks: Quirks) -> Floats:
    """Height (m,) over the hairline, with an uneven edge; -1 where no hair grows."""
    ref = reference()
    edge = 0.03 * np.sin(ref.points[:, 0] * 31 + ref.points[:, 2] * 17)
    grows = (ref.ears < 0.12) & (ref.points[:, 1] > 6.15)
    return np.where(grows, above_hairline(ref.points, HAIRLINE_Y + quirks.hairline) + edge, -1.0)
