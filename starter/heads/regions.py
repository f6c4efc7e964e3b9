"""Places on the neutral head that all characters share: scalp, face front, lips, the painting map.

"Reference" coordinates are those of the smoothed neutral mesh in decimetres: every skin vertex carries them,
so that paint, hairline and neckline follow the face however it is shaped or posed.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.spatial import cKDTree

from starter.heads.arrays import Bools, Floats, Ints
from starter.heads.assets import load_assets

HAIRLINE_Y = 8.02
LOWEST_Y = 4.7  # decimetres; a portrait shows nothing below
# Height of the hairline by angle around the head from 0 = front: forehead, temple, over the ear, nape.
_HAIRLINE_ANGLES = [0, 0.35, 0.6, 0.8, 1.0, 1.25, 1.45, 1.75, 2.1, 2.5, 3.14]
_HAIRLINE_BACK = [7.35, 7.2, 6.95, 7.05, 6.65, 6.35, 6.25]


@dataclass(frozen=True)
class PaintMap:
    """A cylinder around the head, unrolled to a square texture: x is the angle, y the height."""

    axis_z: float = 0.45
    half_angle: float = 1.75
    bottom: float = 5.4
    top: float = 8.7
    size: int = 1024

    def pixels(self, points: Floats) -> Floats:
        """Texture coordinates (n, 2) in pixels, y down, of reference points (n, 3)."""
        angle = np.arctan2(points[:, 0], points[:, 2] - self.axis_z)
        u = 0.5 + angle / (2 * self.half_angle)
        v = 1 - (points[:, 1] - self.bottom) / (self.top - self.bottom)
        return np.stack([u, v], axis=1) * self.size

    def grid(self) -> tuple[Floats, Floats]:
        """Angle and height at the centre of every texel, both (size, size)."""
        steps = (np.arange(self.size) + 0.5) / self.size
        u, v = np.meshgrid(steps, steps)
        return (u - 0.5) * 2 * self.half_angle, self.bottom + (1 - v) * (self.top - self.bottom)


PAINT_MAP = PaintMap()


@dataclass(frozen=True)
class Reference:
    """The smoothed neutral skin: points (m, 3), triangles (t, 3), area and region weights (m,)."""

    points: Floats
    triangles: Ints
    areas: Floats
    lips: Floats
    eyelids: Floats
    ears: Floats
    mouth: Floats
    face: Floats

    @property
    def lip_top(self) -> float:
        """Highest point of the lips."""
        return float(self.points[self.lips > 0.5, 1].max())

    @property
    def lip_bottom(self) -> float:
        """Lowest point of the lips."""
        return float(self.points[self.lips > 0.5, 1].min())


@cache
def reference() -> Reference:
    """The reference head of the shipped asset."""
    assets = load_assets()
    points = assets.subdivision(assets.vertices[assets.skin])
    quads = assets.subdivision.quads
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)
    a, b, c = (points[triangles[:, k]] for k in range(3))
    doubled = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    areas = np.zeros(len(points))
    np.add.at(areas, triangles.ravel(), np.repeat(doubled, 3))
    region = assets.regions
    return Reference(
        points=points,
        triangles=triangles,
        areas=areas,
        lips=region["lips"],
        eyelids=region["eyelids"],
        ears=region["ears"],
        mouth=region["inside-mouth"],
        face=region["face"],
    )


def above_hairline(points: Floats, front: float = HAIRLINE_Y) -> Floats:
    """Height (n,) over the hairline in decimetres; negative where no hair grows. Ears are not considered."""
    angle = np.abs(np.arctan2(points[:, 0], points[:, 2] - 0.35))
    line = [front, front, front - 0.06, front - 0.3, *_HAIRLINE_BACK]
    return np.asarray(points[:, 1] - np.interp(angle, _HAIRLINE_ANGLES, line))


@cache
def scalp() -> Ints:
    """Skin vertices where hair grows."""
    ref = reference()
    grows = (above_hairline(ref.points) > 0) & (ref.ears < 0.1) & (ref.points[:, 1] > 6.2) & (ref.mouth < 0.5)
    return np.flatnonzero(grows)


@cache
def outer_skin() -> Ints:
    """Skin vertices that hair can touch: everything but the mouth cavity."""
    ref = reference()
    return np.flatnonzero((ref.mouth < 0.3) & (ref.points[:, 1] > 4.5))


@cache
def chin_band() -> Bools:
    """Skin vertices (mask) at the height of the jaw line in front, used to measure a face."""
    x, y, z = reference().points.T
    del x
    return np.asarray((y < 6.35) & (y > 6.1) & (z > 1.1))


@cache
def faces_outwards() -> Bools:
    """Skin vertices that are the foremost: not inside nostrils, eye sockets or the mouth."""
    points = reference().points
    cells: dict[tuple[int, int], float] = {}
    keys = [tuple(key) for key in np.round(points[:, :2] / 0.035).astype(int).tolist()]
    for key, z in zip(keys, points[:, 2], strict=True):
        cells[key] = max(cells.get(key, -9.0), float(z))
    return np.asarray(points[:, 2] > np.array([cells[key] for key in keys]) - 0.06)


@cache
def _front_tree() -> tuple[cKDTree, Floats]:
    points = reference().points
    front = points[(points[:, 2] > 0.6) & (reference().mouth < 0.3) & faces_outwards()]
    return cKDTree(front[:, :2]), front


def face_pixels(x: Floats | float, y: Floats | float) -> Floats:
    """Paint-map pixels (n, 2) of the front of the reference face at (x, y)."""
    tree, front = _front_tree()
    xy = np.stack([np.atleast_1d(np.asarray(x, float)), np.atleast_1d(np.asarray(y, float))], axis=1)
    distance, nearest = tree.query(xy, k=4)
    weight = 1 / (distance + 1e-3)
    z = (front[nearest, 2] * weight).sum(axis=1) / weight.sum(axis=1)
    return PAINT_MAP.pixels(np.column_stack([xy, z]))
