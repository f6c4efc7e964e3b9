"""Dense landmarks and marks of a picture: where they are, and whether they can be seen.

A landmark is a place on the neutral head, given by a few skin vertices and their weights, so that it means
the same on every character: it is exact, whatever the shape, expression and pose. Left is the viewer's left.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import numpy as np

from starter.heads.arrays import Floats, Ints
from starter.heads.head import Head
from starter.heads.identity import Brows, Identity
from starter.heads.mesh import DATA, MATERIAL, POSITION, Material
from starter.heads.parts import Part
from starter.heads.places import LANDMARK_NAMES, SIDES, brow_places, fixed_places, on_face, sides_swapped
from starter.heads.regions import reference
from starter.heads.renderer import Picture

__all__ = ["LANDMARK_NAMES", "Visibility", "dense_landmarks", "landmark_points", "marks_of", "sides_swapped"]

HIDDEN_BEHIND = 0.09  # decimetres nearer than the landmark is something else


class Visibility(IntEnum):
    """Why a point can or cannot be seen."""

    VISIBLE = 0
    BEHIND_HEAD = 1
    BEHIND_HAIR = 2
    BEHIND_GLASSES = 3
    BEHIND_HEADWEAR = 4
    BEHIND_CLOTHES = 5
    OUTSIDE = 6


_COVERS: Mapping[int, Visibility] = {
    Part.HAIR: Visibility.BEHIND_HAIR,
    Part.BEARD: Visibility.BEHIND_HAIR,
    Part.GLASSES: Visibility.BEHIND_GLASSES,
    Part.METAL: Visibility.BEHIND_HEADWEAR,
    Part.HEADWEAR: Visibility.BEHIND_HEADWEAR,
    Part.CLOTHES: Visibility.BEHIND_CLOTHES,
}


def dense_landmarks(identity: Identity, head: Head, picture: Picture) -> tuple[Floats, Ints]:
    """Pixels (n, 2) float and Visibility (n,) of LANDMARK_NAMES."""
    points = landmark_points(identity.brows, head)
    return _seen(points, picture)


def landmark_points(brows: Brows, head: Head) -> Floats:
    """Points (n, 3) of LANDMARK_NAMES on a posed head."""
    fixed, names = fixed_places()
    skin = dict(zip(names, fixed.on(head.skin), strict=True))
    brow_names, on_brows = brow_places(brows)
    skin.update(zip(brow_names, on_brows.on(head.skin), strict=True))
    skin.update(_pupils(head))
    return np.stack([skin[name] for name in LANDMARK_NAMES])


def marks_of(identity: Identity, head: Head, picture: Picture) -> list[dict[str, Any]]:
    """Every mark of the skin: pixels, radius in pixels, Visibility, and its place on the neutral head."""
    marks = identity.skin.marks
    if not marks:
        return []
    places = on_face(np.array([mark.x for mark in marks]), np.array([mark.y for mark in marks]))
    pixels, seen = _seen(places.on(head.skin), picture)
    neutral = places.on(reference().points)
    scale = _pixels_per_decimetre(head, picture)
    return [
        {
            "kind": mark.kind,
            "px": [round(float(x), 2) for x in pixels[k]],
            "radius_px": round(mark.radius * scale, 2),
            "visibility": int(seen[k]),
            "at": [round(float(x), 3) for x in neutral[k]],
        }
        for k, mark in enumerate(marks)
    ]


def _seen(points: Floats, picture: Picture) -> tuple[Floats, Ints]:
    size = picture.parts.shape[0]
    pixels = picture.camera.project(points, size)
    depth = picture.camera.position[2] - points[:, 2]
    x, y = np.floor(pixels).astype(int).T
    inside = (x >= 0) & (x < size) & (y >= 0) & (y < size)
    x, y = np.clip(x, 0, size - 1), np.clip(y, 0, size - 1)
    # The nearest surface that agrees, of the pixel and its neighbours: a landmark may lie on a rim.
    gaps = np.full(len(points), np.inf)
    for dx, dy in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)):
        at = np.clip(y + dy, 0, size - 1), np.clip(x + dx, 0, size - 1)
        drawn = np.where(picture.parts[at] == 0, np.inf, picture.depth[at])
        gaps = np.minimum(gaps, np.abs(np.where(np.isinf(drawn), 9.0, depth - drawn)))
    cover = picture.parts[y, x]
    hidden = gaps > HIDDEN_BEHIND
    covered = np.array([_COVERS.get(int(part), Visibility.BEHIND_HEAD) for part in cover])
    # Hair and glasses may lie closer to the skin than the depth test resolves.
    thin = (covered >= Visibility.BEHIND_HAIR) & (depth - picture.depth[y, x] > 0.02)
    result = np.where(hidden | thin, covered, Visibility.VISIBLE)
    return pixels, np.where(inside, result, Visibility.OUTSIDE).astype(int)


def _pixels_per_decimetre(head: Head, picture: Picture) -> float:
    centre = head.eye_midpoint
    ends = picture.camera.project(centre + np.array([[0, 0, 0], [0, 0.1, 0]]), picture.parts.shape[0])
    return float(np.linalg.norm(ends[1] - ends[0])) * 10


def _pupils(head: Head) -> dict[str, Floats]:
    """Centre of the visible front of each iris, from the eyeball's own axes in the vertex data."""
    is_eye = head.vertices[:, MATERIAL] == Material.EYE
    points, data = head.vertices[is_eye, POSITION], head.vertices[is_eye, DATA]
    pupils = {}
    for name, side in SIDES:
        own = data[:, 3] == side
        front = np.argsort(-data[own, 2])[:8]
        pupils[f"{name}_pupil"] = points[own][front].mean(axis=0)
    return pupils
