"""Eyeballs, lashes, teeth and tongue."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from starter.heads.arrays import Floats
from starter.heads.assets import load_assets
from starter.heads.mesh import Material, MeshBuilder, sphere, triangulate, vertex_normals
from starter.heads.pose import rotation
from starter.heads.regions import reference
from starter.heads.surface import HeadSurface

TOE_OUT_DEG = 1.5  # eyes that look far away still look parallel to a viewer with this


@dataclass(frozen=True)
class Eyeball:
    """Centre (3,) and radius in decimetres."""

    centre: Floats
    radius: float


@dataclass(frozen=True)
class EyePair:
    """`left` is the person's left eye (+x), which a viewer sees on the right."""

    left: Eyeball
    right: Eyeball


def find_eyes(surface: HeadSurface) -> EyePair:
    """Measure the eyeballs of the shaped head."""
    return EyePair(left=_eyeball(surface, "helper-l-eye"), right=_eyeball(surface, "helper-r-eye"))


def _eyeball(surface: HeadSurface, part: str) -> Eyeball:
    points = surface.raw[np.unique(load_assets().parts[part])]
    low, high = points.min(axis=0), points.max(axis=0)
    radius = float(high[0] - low[0]) / 2
    centre = (low + high) / 2
    centre[2] = high[2] - radius * 1.03
    return Eyeball(centre, radius)


def add_eyes(mesh: MeshBuilder, eyes: EyePair, gaze_deg: tuple[float, float]) -> None:
    """Add both balls, turned by (to the person's left, up) degrees; the cornea bulges a little."""
    ball, triangles = sphere()
    bulge = np.where(ball[:, 2] > 0.80, 1 + 0.035 * np.clip((ball[:, 2] - 0.80) / 0.2, 0, 1), 1.0)
    for eye, side in ((eyes.left, 1), (eyes.right, -1)):
        turn = rotation(gaze_deg[0] + side * TOE_OUT_DEG, -gaze_deg[1])
        data = np.column_stack([ball, np.full(len(ball), side)])
        points = (ball * bulge[:, None]) @ turn.T * eye.radius + eye.centre
        mesh.add(Material.EYE, points, ball @ turn.T, triangles, data=data)


def add_mouth(mesh: MeshBuilder, surface: HeadSurface) -> None:
    """Add teeth and tongue."""
    parts = {
        "helper-upper-teeth": Material.TEETH,
        "helper-lower-teeth": Material.TEETH,
        "helper-tongue": Material.TONGUE,
    }
    for part, material in parts.items():
        used, quads = np.unique(load_assets().parts[part], return_inverse=True)
        points, triangles = surface.raw[used], triangulate(quads.reshape(-1, 4))
        mesh.add(material, points, vertex_normals(points, triangles), triangles)


def add_lashes(mesh: MeshBuilder, surface: HeadSurface, eyes: EyePair, is_female: bool) -> None:
    """Add lash strips; the shader cuts single lashes out of them, longer ones for women."""
    lid_tree = cKDTree(surface.skin[reference().eyelids > 0.02])
    for side, eye in (("l", eyes.left), ("r", eyes.right)):
        for row in (2, 1):  # upper, lower
            quads = load_assets().parts[f"helper-{side}-eyelashes-{row}"]
            points = surface.raw[quads].reshape(-1, 3)
            triangles = triangulate(np.arange(len(points)).reshape(-1, 4))
            from_lid = lid_tree.query(points)[0]
            across = (points[:, 0] - eye.centre[0]) / eyes.left.radius
            data = np.column_stack(
                [
                    across,
                    from_lid / (from_lid.max() + 1e-6),
                    np.full(len(points), float(row == 2)),
                    np.full(len(points), float(is_female)),
                ]
            )
            mesh.add(
                Material.LASH, points, vertex_normals(points, triangles), triangles, None, data, is_cut=True
            )
