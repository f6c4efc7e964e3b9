"""A top: the torso's skin pushed outwards, with collar flaps or a hood; the shader cuts the hems into it."""

from typing import Literal, get_args

import numpy as np

from starter.heads.arrays import Bools, Floats, smoothstep
from starter.heads.mesh import Material, MeshBuilder, subset, tubes
from starter.heads.regions import LOWEST_Y, reference
from starter.heads.surface import HeadSurface

Cut = Literal["t-shirt", "turtleneck", "collared shirt", "suit", "hoodie"]
CUTS: tuple[Cut, ...] = get_args(Cut)
"""In the order of the numbers in shaders/clothes.glsl."""
THICKNESS = 0.075  # decimetres
BODY, FLAP, HOOD, CORD = 0.0, 1.0, 2.0, 3.0


def add_top(mesh: MeshBuilder, surface: HeadSurface, cut: Cut) -> None:
    """Add a top of this cut."""
    y, z = reference().points[:, 1:].T
    neck = np.asarray(smoothstep(5.45, 5.7, y))
    thickness = THICKNESS + (0.035 * neck if cut == "turtleneck" else 0.02 * neck)
    _add_shell(mesh, surface, _torso(), thickness, BODY)
    if cut in ("collared shirt", "suit"):
        fall = np.clip(collar_top(z) - y, 0, 0.6)
        _add_shell(mesh, surface, _torso() & (fall < 0.55), thickness + 0.035 + 0.12 * fall, FLAP)
    if cut == "hoodie":
        _add_hood(mesh, surface)


def collar_top(z: Floats) -> Floats:
    """Upper edge of a collar, higher behind; as in shaders/clothes.glsl."""
    return 5.74 + 0.36 * smoothstep(0.6, -0.2, z)


def _torso() -> Bools:
    x, y, z = reference().points.T
    level = y + 0.62 * smoothstep(-0.25, 0.62, z) - 0.62 * smoothstep(0.22, 1.0, np.abs(x))
    return np.asarray((level < 6.72) & (y < 6.36) & ((z < 0.98) | (y < 5.85)) & (y > LOWEST_Y))


def _add_shell(
    mesh: MeshBuilder, surface: HeadSurface, where: Bools, thickness: Floats, layer: float
) -> None:
    ref = reference()
    used, triangles = subset(ref.triangles, np.flatnonzero(where[ref.triangles].all(axis=1)))
    points = surface.skin[used] + surface.normals[used] * thickness[used, None]
    data = np.full((len(used), 4), layer)
    mesh.add(Material.CLOTH, points, surface.normals[used], triangles, ref.points[used], data, is_cut=True)


def _add_hood(mesh: MeshBuilder, surface: HeadSurface) -> None:
    """The hood lies as a roll around the neck, thick behind; two cords hang from it."""
    ref = reference()
    neck = surface.skin[(np.abs(ref.points[:, 1] - 5.85) < 0.12) & (ref.points[:, 2] < 0.9)]
    low, high = neck.min(axis=0), neck.max(axis=0)
    centre, half = (low + high) / 2, (high - low) / 2
    angle = np.linspace(-np.pi, np.pi, 41) * 0.93
    behind = (1 + np.cos(angle)) / 2
    radius = 0.13 + 0.17 * behind
    out = np.array([half[0] + 0.10, 0, half[2] + 0.10])
    line = np.stack(
        [
            centre[0] + np.sin(angle) * (out[0] + 0.55 * radius),
            centre[1] - 0.42 + 0.36 * behind,
            centre[2] - np.cos(angle) * (out[2] + 0.5 * radius) + 0.06 * (1 - behind),
        ],
        axis=1,
    )
    lines = line[None]
    roll = tubes(lines, radius[None], radius[None] * 0.85, np.tile([0, 1.0, 0.2], (1, 41, 1)), sides=14)
    data = np.full((len(roll.points), 4), HOOD)
    place = np.column_stack([roll.points[:, 0], np.full(len(roll.points), 5.0), roll.points[:, 2]])
    mesh.add(Material.CLOTH, roll.points, roll.normals, roll.triangles, place, data, is_cut=True)
    front = line[[0, -1]] + np.array([0, -0.08, 0.13])
    drop = np.linspace(0, 1, 8)[None, :, None] * np.array([0, -0.75, 0.22])
    cords = front[:, None] + drop
    width = np.full(cords.shape[:2], 0.028)
    wrapped = tubes(cords, width, width, np.broadcast_to(np.array([0, 0, 1.0]), cords.shape), sides=6)
    data = np.full((len(wrapped.points), 4), CORD)
    mesh.add(
        *(Material.CLOTH, wrapped.points, wrapped.normals, wrapped.triangles, wrapped.points, data),
        is_cut=True,
    )
