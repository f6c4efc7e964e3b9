"""Glasses: two rims, a bridge, two arms that end over the ears; only sunglasses have lenses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from starter.heads.arrays import Floats, Ints, normalised
from starter.heads.eyes import Eyeball, EyePair
from starter.heads.mesh import Material, MeshBuilder, tubes
from starter.heads.regions import reference
from starter.heads.surface import HeadSurface

Glasses = Literal["none", "round", "square", "sunglasses", "half-rim"]
GLASSES: tuple[Glasses, ...] = get_args(Glasses)


@dataclass(frozen=True)
class _Frame:
    """corner: exponent of the superellipse (1 is round). radius in decimetres, plane_z: of the bridge."""

    corner: float
    height: float
    tube: float
    radius: float
    plane_z: float

    def bend(self, x: Floats | float) -> Floats:
        """Rims curve back towards the temples."""
        return np.asarray(self.plane_z - 0.1 * (np.abs(x) / 0.6) ** 2)


_SHAPES: Mapping[Glasses, tuple[float, float, float, float]] = {
    "round": (1.0, 0.92, 0.018, 1.0),
    "square": (0.38, 0.72, 0.026, 1.0),
    "sunglasses": (0.62, 0.74, 0.024, 0.97),
    "half-rim": (0.5, 0.68, 0.026, 1.0),
}
"""Corner, height, tube and width (a factor) of each kind."""


def add_glasses(mesh: MeshBuilder, surface: HeadSurface, eyes: EyePair, glasses: Glasses) -> None:
    """Add a frame fitted to the eyes, the nose and the ears; "none" adds nothing."""
    if glasses == "none":
        return
    frame = _fit(surface, eyes, glasses)
    rims = np.stack([_rim(frame, eye) for eye in (eyes.left, eyes.right)])
    if glasses == "half-rim":
        rims = rims[:, _upper_half()]
    _add(mesh, rims, frame.tube, np.array([0, 0, 1.0]))
    if glasses == "sunglasses":
        _add_lenses(mesh, rims)
    t = np.linspace(0, 1, 9)
    left, right = eyes.left.centre, eyes.right.centre
    gap = left[0] - right[0] - 2 * frame.radius
    bridge = np.stack(
        [
            right[0] + frame.radius + gap * t,
            left[1] + 0.03 + 0.03 * np.sin(t * np.pi),
            np.full_like(t, frame.plane_z + 0.02),
        ],
        axis=1,
    )
    arms = [_arm(frame, surface, eye, side, t) for eye, side in ((eyes.left, 1), (eyes.right, -1))]
    _add(mesh, np.stack([bridge, *arms]), 0.018, np.array([0, 0.3, 1.0]))


def _fit(surface: HeadSurface, eyes: EyePair, glasses: Glasses) -> _Frame:
    ref = reference()
    face = (ref.ears < 0.1) & (ref.points[:, 1] > 6.5)
    radius = 0.27 * float(np.ptp(surface.skin[face, 0])) / 1.53
    bridge = (np.abs(ref.points[:, 0]) < 0.1) & (ref.points[:, 1] > 7.1) & (ref.points[:, 1] < 7.35)
    eye = eyes.left
    plane_z = max(float(surface.skin[bridge, 2].max()), float(eye.centre[2]) + eye.radius * 1.35) + 0.02
    corner, height, tube, wide = _SHAPES[glasses]
    return _Frame(
        corner=corner,
        height=height,
        tube=tube,
        radius=min(radius * wide, abs(float(eye.centre[0])) * 0.93),
        plane_z=plane_z,
    )


def _upper_half() -> Ints:
    """Points of a rim, in order, that a half rim keeps: a little more than the upper half."""
    return np.arange(-2, 23) % 40


def _add_lenses(mesh: MeshBuilder, rims: Floats) -> None:
    """Fill the rims (2, n, 3), bulging a little."""
    count = rims.shape[1]
    fan = np.stack([np.full(count - 1, count), np.arange(count - 1), np.arange(1, count)], axis=1)
    for rim in rims:
        middle = rim.mean(axis=0) + np.array([0, 0, 0.03])
        points = np.concatenate([rim, middle[None]])
        normals = normalised(np.array([0, 0, 1.0]) + 0.9 * (points - middle) * np.array([1, 1, 0]))
        data = np.ones((len(points), 4))
        mesh.add(Material.GLASSES, points, normals, fan, data=data)


def _rim(frame: _Frame, eye: Eyeball) -> Floats:
    angle = np.linspace(0, 2 * np.pi, 41)
    cos, sin = np.cos(angle), np.sin(angle)
    x = eye.centre[0] + np.sign(cos) * np.abs(cos) ** frame.corner * frame.radius * 1.03
    y = eye.centre[1] - 0.03 + np.sign(sin) * np.abs(sin) ** frame.corner * frame.radius * frame.height
    return np.stack([x, y, frame.bend(x)], axis=1)


def _arm(frame: _Frame, surface: HeadSurface, eye: Eyeball, side: int, t: Floats) -> Floats:
    ref = reference()
    ear = surface.skin[(ref.ears > 0.5) & (ref.points[:, 0] * side > 0)]
    hinge_x = eye.centre[0] + side * frame.radius * 1.03
    hinge = np.array([hinge_x, eye.centre[1] + 0.05, frame.bend(abs(eye.centre[0]) + frame.radius)])
    over_ear = np.array([ear[:, 0].mean() - side * 0.03, ear[:, 1].max() - 0.03, ear[:, 2].mean()])
    outward = np.array([side * 0.06, 0, 0]) * np.sin(t * np.pi)[:, None]
    return np.asarray(hinge + (over_ear - hinge) * t[:, None] + outward)


def _add(mesh: MeshBuilder, lines: Floats, radius: float, outward: Floats) -> None:
    thickness = np.full(lines.shape[:2], radius)
    wrapped = tubes(lines, thickness, thickness, np.broadcast_to(outward, lines.shape), sides=8)
    mesh.add(Material.GLASSES, wrapped.points, wrapped.normals, wrapped.triangles)
