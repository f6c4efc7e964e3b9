"""Earrings: studs and hoops at the lobes."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from starter.heads.identity import Rgb
from starter.heads.mesh import Material, MeshBuilder, sphere, tubes
from starter.heads.pose import rotation
from starter.heads.regions import reference
from starter.heads.surface import HeadSurface

EarringKind = Literal["none", "studs", "hoops"]
EARRINGS: tuple[EarringKind, ...] = get_args(EarringKind)
METALS: tuple[Rgb, ...] = ((0.95, 0.62, 0.22), (0.8, 0.8, 0.82), (0.85, 0.45, 0.35))
"""Gold, silver, rose gold; linear reflectance."""
STUD, HOOP, WIRE = 0.038, 0.125, 0.016  # decimetres


@dataclass(frozen=True)
class Earrings:
    """A pair of earrings (or "none") and its metal."""

    kind: EarringKind = "none"
    rgb: Rgb = METALS[0]


def add_earrings(mesh: MeshBuilder, surface: HeadSurface, kind: EarringKind) -> None:
    """Add both; "none" adds nothing."""
    if kind == "none":
        return
    ref = reference()
    for side in (-1, 1):
        ear = np.flatnonzero((ref.ears > 0.5) & (ref.points[:, 0] * side > 0))
        lobe = surface.skin[ear[np.argmin(surface.skin[ear, 1])]]
        at = lobe + np.array([side * 0.03, 0.03, 0.02])
        if kind == "studs":
            ball, triangles = sphere(12, 8)
            mesh.add(Material.METAL, at + STUD * ball, ball, triangles)
            continue
        angle = np.linspace(0, 2 * np.pi, 33)
        circle = np.stack([np.zeros(33), np.cos(angle), np.sin(angle)], axis=1) @ rotation(side * -48).T
        lines = (at - np.array([0, HOOP, 0]) + HOOP * circle)[None]
        thickness = np.full((1, 33), WIRE)
        ring = tubes(lines, thickness, thickness, np.broadcast_to(circle[None], lines.shape), sides=8)
        mesh.add(Material.METAL, ring.points, ring.normals, ring.triangles)
