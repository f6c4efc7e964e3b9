"""Cap, beanie and wide-brim hat on a dome."""

import numpy as np

from starter.heads.arrays import Bools, Floats, Ints, normalised, smoothstep
from starter.heads.dome import ROUNDNESS, Dome, DomedKind
from starter.heads.mesh import Material, MeshBuilder, triangulate, vertex_normals

COLUMNS = 56


def unit_circle(turns: Floats) -> Floats:
    """Unit circle (n, 2): right, forward; 0 turns is in front."""
    angle = turns * 2 * np.pi
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1)


def add_crown(mesh: MeshBuilder, dome: Dome, kind: DomedKind) -> None:
    """Add the crown itself; the lowest part of a wide-brim hat is a band in the second colour."""
    rise = np.linspace(-0.06 if kind == "cap" else 0.0, np.pi / 2, 15)
    turns = np.linspace(0, 1, COLUMNS + 1)
    radius = np.cos(np.clip(rise, 0, None)) ** (2 / ROUNDNESS)
    height = np.sign(rise) * np.abs(np.sin(rise)) ** (2 / ROUNDNESS)
    if kind == "wide-brim":  # a pinched crown
        height = height - 0.10 * smoothstep(0.5, 0.0, radius)
    ring = unit_circle(turns)[None] * radius[:, None, None]
    local = np.concatenate([ring, np.broadcast_to(height[:, None, None], (*ring.shape[:2], 1))], axis=2)
    is_band = (height < 0.26) if kind == "wide-brim" else np.zeros(len(rise), bool)
    _add_grid(mesh, dome.world(local), turns, height, is_band)


def add_fold(mesh: MeshBuilder, dome: Dome) -> None:
    """The turned-up edge of a beanie."""
    t = np.linspace(0, 1, 8)
    height = -0.04 + 0.36 * t
    swell = 1.03 + 0.05 * np.sin(np.pi * t) ** 0.5 - 0.06 * t**3
    turns = np.linspace(0, 1, COLUMNS + 1)
    ring = unit_circle(turns)[None] * swell[:, None, None]
    local = np.concatenate([ring, np.broadcast_to(height[:, None, None], (*ring.shape[:2], 1))], axis=2)
    _add_grid(mesh, dome.world(local), turns, height, np.ones(len(t), bool))


def add_visor(mesh: MeshBuilder, dome: Dome) -> None:
    """The visor of a cap."""
    turns = np.linspace(-0.17, 0.17, 25)
    out = np.linspace(-0.02, 1, 8)
    ring = unit_circle(turns)
    reach = 0.62 * np.cos(turns / 0.17 * np.pi / 2) ** 0.55
    points = np.repeat(np.column_stack([ring, np.zeros(len(turns))])[None], len(out), axis=0)
    world = dome.world(points)
    world = world + (out[:, None] * reach)[..., None] * np.array([0, -0.16, 1.0])
    sideways = turns / 0.17
    sag = 0.02 + 0.16 * np.clip(out, 0, 1)[:, None] ** 1.5 * (0.5 + sideways[None] ** 2) * np.cos(
        sideways * 1.5
    )
    world = world + (0.03 - sag)[..., None] * np.array([0, 1.0, 0])
    _add_grid(mesh, world, turns, out, np.ones(len(out), bool))


def add_brim(mesh: MeshBuilder, dome: Dome) -> None:
    """A brim all around, bent down in front and behind."""
    turns = np.linspace(0, 1, COLUMNS + 1)
    out = np.linspace(-0.01, 1, 9)
    outward = unit_circle(turns) @ dome.axes[:2]
    edge = dome.world(np.column_stack([unit_circle(turns), np.zeros(len(turns))]))
    wave = 0.10 * np.cos(turns * 4 * np.pi) - 0.03
    rise = -(np.clip(out, 0, 1)[:, None] ** 1.6) * wave[None]
    world = edge[None] + 0.52 * out[:, None, None] * outward[None] + rise[..., None] * dome.axes[2]
    _add_grid(mesh, world, turns, out, np.zeros(len(out), bool))


def _add_grid(mesh: MeshBuilder, points: Floats, turns: Floats, height: Floats, second: Bools) -> None:
    """Add a grid (rows, columns, 3); `second` (rows,) marks those in the second colour."""
    rows, columns, _ = points.shape
    flat = points.reshape(-1, 3)
    triangles = grid_triangles(rows, columns)
    normals = vertex_normals(flat, triangles)
    if np.linalg.norm(points[0, 0] - points[0, -1]) < 1e-6:  # closed: the seam gets one normal
        grid = normals.reshape(rows, columns, 3)
        seam = normalised(grid[:, 0] + grid[:, -1])
        grid[:, 0] = grid[:, -1] = seam
    data = np.zeros((len(flat), 4))
    data[:, 0], data[:, 1] = np.tile(turns, rows), np.repeat(height, columns)
    data[:, 2] = np.repeat(second, columns)
    reference_data = np.column_stack([np.ones(len(flat)), flat[:, 1:]])
    mesh.add(Material.HAT, flat, normals, triangles, reference_data, data, is_cut=True)


def grid_triangles(rows: int, columns: int) -> Ints:
    """Two triangles for each cell of a grid of vertices."""
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)[None]).reshape(-1)
    return triangulate(np.stack([corner, corner + 1, corner + columns + 1, corner + columns], axis=1))
