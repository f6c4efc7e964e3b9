"""Assemble one posed head, ready to draw."""

from dataclasses import dataclass

import numpy as np

from starter.heads.arrays import Floats, Ints
from starter.heads.beard import add_beard
from starter.heads.clothes import add_top
from starter.heads.expressions import action_weights
from starter.heads.eyes import add_eyes, add_lashes, add_mouth, find_eyes
from starter.heads.glasses import add_glasses
from starter.heads.hair import add_hair
from starter.heads.identity import Identity
from starter.heads.mesh import MATERIAL, POSITION, Material, MeshBuilder
from starter.heads.pose import turn
from starter.heads.regions import chin_band, reference, scalp
from starter.heads.shape import shape_head
from starter.heads.surface import HeadSurface
from starter.heads.view import View


@dataclass(frozen=True)
class Head:
    """vertices: (n, 14) float32, laid out as mesh.ATTRIBUTES, the skin's first; triangles: (t, 3) int32."""

    vertices: Floats
    triangles: Ints

    @property
    def skin(self) -> Floats:
        """Turned skin points (m, 3), indexed like the reference head."""
        return np.asarray(self.vertices[: len(reference().points), POSITION])

    @property
    def eye_midpoint(self) -> Floats:
        """Mean of both eyeballs (3,)."""
        is_eye = self.vertices[:, MATERIAL] == Material.EYE
        return np.asarray(self.vertices[is_eye, POSITION].mean(axis=0))

    @property
    def face_height(self) -> float:
        """From the jaw line to the top of the head without hair, as turned; decimetres."""
        skin = self.skin
        return float(skin[scalp(), 1].max() - skin[chin_band(), 1].mean())


def build_head(identity: Identity, view: View) -> Head:
    """Shape, dress and turn a character; equal arguments give equal bytes."""
    raw = shape_head(identity, action_weights(view.expression, view.expression_strength))
    surface = HeadSurface.of(raw)
    ref = reference()
    mesh = MeshBuilder()
    regions = np.stack([ref.lips, ref.eyelids, ref.ears, ref.mouth], axis=1)
    mesh.add(Material.SKIN, surface.skin, surface.normals, ref.triangles, ref.points, regions)
    eyes = find_eyes(surface)
    add_eyes(mesh, eyes, view.pose.gaze)
    add_mouth(mesh, surface)
    add_lashes(mesh, surface, eyes, identity.body.sex == "female")
    add_hair(mesh, surface, view.hair.style, identity.seed, float(eyes.left.centre[1]))
    if identity.beard == "full":
        add_beard(mesh, surface, identity.seed)
    add_top(mesh, surface)
    add_glasses(mesh, surface, eyes, view.glasses)
    vertices, triangles = mesh.pack()
    pose = view.pose
    return Head(turn(vertices, raw, pose.yaw, pose.pitch, pose.roll), triangles)
