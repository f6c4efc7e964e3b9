"""Triangle soup with the vertex attributes of the shaders, and the primitives that parts are made of."""

from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache

import numpy as np

from starter.heads.arrays import Floats, Ints, normalised


class Material(IntEnum):
    """What a triangle is made of; the numbers are those of shaders/gbuffer.frag."""

    SKIN = 0
    EYE = 1
    TEETH = 2
    TONGUE = 3
    LASH = 4
    HAIR = 5
    CLOTH = 6
    GLASSES = 7
    HAT = 8
    BEARD = 9
    METAL = 10


ATTRIBUTES = "3f 3f 3f 4f 1f"
"""Position, normal, reference position or hair data, material data, material number: 14 floats a vertex."""

POSITION, NORMAL, REFERENCE, DATA, MATERIAL = slice(0, 3), slice(3, 6), slice(6, 9), slice(9, 13), 13


@dataclass
class MeshBuilder:
    """Collects parts; `pack` joins them into one vertex and one index buffer."""

    _vertices: list[Floats] = field(default_factory=list)
    _solid: list[Ints] = field(default_factory=list)
    _cut: list[Ints] = field(default_factory=list)
    _count: int = 0

    def add(
        self,
        material: Material,
        points: Floats,
        normals: Floats,
        triangles: Ints,
        reference: Floats | None = None,
        data: Floats | None = None,
        is_cut: bool = False,
    ) -> None:
        """Append a part; absent attributes are zero. The shader trims the edges of a part that `is_cut`."""
        block = np.zeros((len(points), 14), dtype=np.float32)
        block[:, POSITION], block[:, NORMAL], block[:, MATERIAL] = points, normals, material
        if reference is not None:
            block[:, REFERENCE] = reference
        if data is not None:
            block[:, DATA] = data
        self._vertices.append(block)
        group = self._cut if is_cut else self._solid
        group.append(np.asarray(triangles, dtype=np.int32) + self._count)
        self._count += len(points)

    @property
    def parts(self) -> list[Floats]:
        """Vertex blocks (n, 14) of the parts added so far, in order; they may be changed in place."""
        return self._vertices

    def pack(self) -> tuple[Floats, Ints, int]:
        """Vertices (n, 14) float32, triangles (t, 3) int32, and how many of these, the first, are not cut."""
        triangles = np.concatenate([*self._solid, *self._cut])
        return np.concatenate(self._vertices), triangles, sum(map(len, self._solid))


def triangulate(quads: Ints) -> Ints:
    """Two triangles for each quad."""
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def vertex_normals(points: Floats, triangles: Ints) -> Floats:
    """Area-weighted unit normals (n, 3)."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    total = np.zeros_like(points)
    for corner in range(3):
        for axis in range(3):
            total[:, axis] += np.bincount(triangles[:, corner], face[:, axis], len(points))
    return normalised(total)


def subset(triangles: Ints, kept: Ints) -> tuple[Ints, Ints]:
    """Vertices that the triangles `kept` use, and those triangles renumbered to them."""
    used, renumbered = np.unique(triangles[kept], return_inverse=True)
    return used, renumbered.reshape(-1, 3)


@cache
def sphere(columns: int = 40, rows: int = 28) -> tuple[Floats, Ints]:
    """Unit sphere: points (also its normals) and triangles; the poles lie on the z axis."""
    around, down = np.meshgrid(np.linspace(0, 2 * np.pi, columns + 1), np.linspace(0, np.pi, rows + 1))
    points = np.stack([np.sin(down) * np.cos(around), np.sin(down) * np.sin(around), np.cos(down)], axis=-1)
    corner = np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)[None]
    quads = np.stack([corner, corner + columns + 1, corner + columns + 2, corner + 1], axis=-1)
    return points.reshape(-1, 3), triangulate(quads.reshape(-1, 4))


@dataclass(frozen=True)
class Tubes:
    """Flattened tubes around n lines of s points: all arrays have n * s * sides rows but `triangles`."""

    points: Floats
    normals: Floats
    triangles: Ints
    tangents: Floats
    along: Floats


def tubes(lines: Floats, half_width: Floats, half_depth: Floats, outward: Floats, sides: int = 4) -> Tubes:
    """Wrap lines (n, s, 3) into tubes; widths (n, s) lie across `outward` (n, s, 3), depths along it."""
    count, steps, _ = lines.shape
    tangent = normalised(np.gradient(lines, axis=1))
    across = normalised(np.cross(tangent, outward))
    up = np.cross(across, tangent)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    ring = across[:, :, None] * cos * half_width[..., None, None]
    ring = ring + up[:, :, None] * sin * half_depth[..., None, None]
    normals = normalised(
        across[:, :, None] * cos * half_depth.mean() + up[:, :, None] * sin * half_width.mean()
    )
    base = (np.arange(count)[:, None, None] * steps + np.arange(steps - 1)[None, :, None]) * sides
    k = np.arange(sides)[None, None]
    following = (k + 1) % sides
    quads = np.stack([base + k, base + following, base + sides + following, base + sides + k], axis=-1)
    along = np.broadcast_to(np.linspace(0, 1, steps)[None, :, None], (count, steps, sides))
    return Tubes(
        points=(lines[:, :, None] + ring).reshape(-1, 3),
        normals=normalised(normals).reshape(-1, 3),
        triangles=triangulate(quads.reshape(-1, 4)),
        tangents=np.repeat(tangent[:, :, None], sides, axis=2).reshape(-1, 3),
        along=along.reshape(-1),
    )
