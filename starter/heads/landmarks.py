"""Six landmarks of every picture, exact because they are vertices. Left is the viewer's left."""

from functools import cache

import numpy as np

from starter.heads.arrays import Bools, Floats
from starter.heads.camera import Camera
from starter.heads.head import Head
from starter.heads.regions import reference

_EYE_CORNERS = ((0.47, 7.27), (0.165, 7.255))  # outer, inner; decimetres on the reference head


@cache
def landmark_vertices() -> dict[str, tuple[int, ...]]:
    """Landmark -> skin vertices whose mean it is."""
    ref = reference()
    x, y, z = ref.points.T
    lips = (ref.lips > 0.5) & (ref.mouth < 0.5)
    middle = (np.abs(x) < 0.04) & (z > 0.8) & (ref.mouth < 0.3)
    chin = middle & (y > 6) & (y < 6.5)
    return {
        "left_eye": _eye_corners(-1),
        "right_eye": _eye_corners(1),
        "nose": (_lowest(middle, -z),),
        "mouth_left": (_lowest(lips, x),),
        "mouth_right": (_lowest(lips, -x),),
        "chin": (_lowest(chin, y - 0.2 * z),),
    }


def landmarks_px(head: Head, camera: Camera, size_px: int) -> dict[str, tuple[float, float]]:
    """Landmark -> (x, y) in pixels of a picture of `size_px`; hidden ones are given too."""
    skin = head.skin
    places = {}
    for name, vertices in landmark_vertices().items():
        x, y = camera.project(skin[list(vertices)], size_px).mean(axis=0)
        places[name] = (round(float(x), 2), round(float(y), 2))
    return places


def _eye_corners(side: int) -> tuple[int, ...]:
    ref = reference()
    x, y, z = ref.points.T
    lids = (ref.eyelids > 0.15) & (x * side > 0) & (z > 0.9)
    return tuple(_lowest(lids, np.hypot(x - side * px, y - py)) for px, py in _EYE_CORNERS)


def _lowest(where: Bools, value: Floats) -> int:
    """Vertex of the mask with the smallest value."""
    candidates = np.flatnonzero(where)
    return int(candidates[np.argmin(value[candidates])])
