"""A headscarf: a shell around head and neck with an opening for the face."""

import cv2
import numpy as np

from starter.heads.arrays import Floats
from starter.heads.dome import nearest_vertex
from starter.heads.hats import COLUMNS, grid_triangles, unit_circle
from starter.heads.mesh import Material, MeshBuilder, vertex_normals
from starter.heads.regions import reference
from starter.heads.surface import HeadSurface


def add_scarf(mesh: MeshBuilder, surface: HeadSurface) -> None:
    """A cloth around head and neck that leaves the face free."""
    ref = reference()
    centre = np.array(
        [0, float(np.interp(7.35, [6.2, 8.4], [surface.jaw_y, surface.crown_y])), surface.hair_centre[2]]
    )
    turns, down = np.linspace(0, 1, COLUMNS + 1), np.linspace(0, 1, 34)
    radius = _reach(surface.skin[(ref.mouth < 0.3) & (ref.ears < 0.3) & (ref.points[:, 1] > 5.2)] - centre)
    radius = np.concatenate([radius, radius[:, :1]], axis=1) + 0.11
    polar = down * 0.80 * np.pi
    ring = unit_circle(turns)
    direction = np.stack(
        [
            np.sin(polar)[:, None] * ring[None, :, 0],
            np.broadcast_to(np.cos(polar)[:, None], radius.shape),
            np.sin(polar)[:, None] * ring[None, :, 1],
        ],
        axis=-1,
    )
    points = centre + direction * radius[..., None]
    points = np.concatenate([points, _drape(points[-1], centre)])
    flat = points.reshape(-1, 3)
    edge = np.where(flat[:, 2] > centre[2] + 0.15, _outside_face(flat, surface), 1.0)
    triangles = grid_triangles(len(points), points.shape[1])
    data = np.zeros((len(flat), 4))
    data[:, 0] = np.tile(turns, len(points))
    reference_data = np.column_stack([edge, flat[:, 1:] * 3.0])
    mesh.add(
        Material.HAT, flat, vertex_normals(flat, triangles), triangles, reference_data, data, is_cut=True
    )


def _outside_face(points: Floats, surface: HeadSurface) -> Floats:
    """How far points (n, 3) lie outside the oval that stays free; negative inside."""
    ref = reference()
    x, y, z = np.abs(ref.points[:, 0]), ref.points[:, 1], ref.points[:, 2]
    half_width = float(np.abs(surface.skin[(ref.ears < 0.1) & (np.abs(y - 7.1) < 0.1), 0]).max()) * 0.93
    brow = surface.skin[nearest_vertex((x < 0.05) & (z > 1), y, 7.93)]
    top, bottom = float(brow[1]), surface.jaw_y - 0.02
    middle, half = (top + bottom) / 2, (top - bottom) / 2
    oval = (np.abs(points[:, 0]) / half_width) ** 2.4 + (np.abs(points[:, 1] - middle) / half) ** 2.4
    return np.asarray(oval - 1)


def _reach(points: Floats, rows: int = 34) -> Floats:
    """Largest distance (rows, COLUMNS) of points around the origin by direction, smoothed."""
    distance = np.linalg.norm(points, axis=1)
    polar = np.arccos(points[:, 1] / distance) / (0.80 * np.pi)
    turns = np.arctan2(points[:, 0], points[:, 2]) / (2 * np.pi) % 1
    inside = polar < 1
    row = np.clip((polar[inside] * (rows - 1)).round().astype(int), 0, rows - 1)
    column = (turns[inside] * COLUMNS).round().astype(int) % COLUMNS
    grid = np.zeros((rows, COLUMNS), np.float32)
    np.maximum.at(grid, (row, column), distance[inside])
    grid[:2] = np.maximum(grid[:2].max(), grid[2].max())
    for _ in range(12):  # close empty cells from their neighbours
        padded = np.concatenate([grid[:, -1:], grid, grid[:, :1]], axis=1)
        grid = np.where(grid > 0, grid, cv2.dilate(padded, np.ones((3, 3)))[:, 1:-1])
    wide = np.concatenate([grid, grid, grid], axis=1)
    smooth = np.asarray(cv2.GaussianBlur(wide, (0, 0), sigmaX=1.3, sigmaY=1.1))
    return np.maximum(smooth[:, COLUMNS : 2 * COLUMNS], 0.1)


def _drape(rim: Floats, centre: Floats) -> Floats:
    """Rows below the rim that widen onto the shoulders."""
    out = (rim - centre) * np.array([1, 0, 1])
    rows = []
    for t in np.linspace(0.15, 1, 6):
        rows.append(
            rim + out * (0.25 * t + 0.75 * t * t) * np.array([1.5, 0, 1.0]) - np.array([0, 0.55 * t, 0])
        )
    return np.stack(rows)
