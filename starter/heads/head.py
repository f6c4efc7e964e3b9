"""Assemble one posed head, ready to draw."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from starter.heads.arrays import Floats, Ints
from starter.heads.beard import add_beard
from starter.heads.clothes import add_top
from starter.heads.earrings import add_earrings
from starter.heads.expressions import action_weights
from starter.heads.eyes import add_eyes, add_lashes, add_mouth, find_eyes
from starter.heads.glasses import add_glasses
from starter.heads.hair import add_hair
from starter.heads.headwear import add_headwear, tuck
from starter.heads.identity import Identity
from starter.heads.mesh import MATERIAL, POSITION, Material, MeshBuilder
from starter.heads.pose import turn
from starter.heads.regions import LOWEST_Y, chin_band, reference, scalp
from starter.heads.shape import shape_head
from starter.heads.surface import HeadSurface
from starter.heads.view import View


@dataclass(frozen=True)
class Head:
    """vertices: (n, 14) float32, laid out as mesh.ATTRIBUTES, the skin's first.

    triangles: (t, 3) int32; the shader cuts edges into all but the first `solid_triangles`.
    """

    vertices: Floats
    triangles: Ints
    solid_triangles: int

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


@cache
def pictured_skin() -> Ints:
    """Skin triangles (t, 3) above the lower edge of any portrait."""
    ref = reference()
    return np.asarray(ref.triangles[(ref.points[:, 1] > LOWEST_Y)[ref.triangles].any(axis=1)])


def build_head(identity: Identity, view: View) -> Head:
    """Shape, dress and turn a character; equal arguments give equal bytes."""
    raw = shape_head(identity, action_weights(view.expression, view.expression_strength))
    surface = HeadSurface.of(raw)
    ref = reference()
    mesh = MeshBuilder()
    regions = np.stack([ref.lips, ref.eyelids, ref.ears, ref.mouth], axis=1)
    mesh.add(Material.SKIN, surface.skin, surface.normals, pictured_skin(), ref.points, regions)
    eyes = find_eyes(surface)
    add_eyes(mesh, eyes, view.pose.gaze)
    add_mouth(mesh, surface)
    add_lashes(mesh, surface, eyes, identity.body.sex == "female")
    dome = add_headwear(mesh, surface, view.hat.kind)
    before_hair = len(mesh.parts)
    if view.hat.kind != "headscarf":
        add_hair(mesh, surface, view.hair.style, identity.seed, float(eyes.left.centre[1]))
        if dome is not None:
            tuck(mesh, before_hair, dome)
        add_earrings(mesh, surface, view.earrings.kind)
    if identity.beard == "full":
        add_beard(mesh, surface, identity.seed)
    add_top(mesh, surface, view.scene.clothes.cut)
    add_glasses(mesh, surface, eyes, view.glasses)
    vertices, triangles, solid = mesh.pack()
    pose = view.pose
    return Head(turn(vertices, raw, pose.yaw, pose.pitch, pose.roll), triangles, solid)
