"""Where hair wants to go: for each style the growth direction of every strand at one moment of its growth.

A flow takes the roots, the present tips (n, 3) and t in [0, 1] along the strand, and returns wishes (n, 3)
whose length matters only relative to the jitter and to the pull of the head that strands.py adds.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from starter.heads.arrays import Bools, Floats, normalised


@dataclass(frozen=True)
class Roots:
    """Where strands start: points and skin normals (n, 3), and what styles ask about the place.

    side: +1 or -1, the side of the parting. front, top: 0..1 ramps towards the forehead and the crown.
    fringe: mask of the strands that fall over the forehead. phase: random number for waves.
    """

    points: Floats
    normals: Floats
    reference: Floats
    side: Floats
    front: Floats
    top: Floats
    fringe: Bools
    parting: float
    phase: float
    knot: Floats  # (n, 3): where each strand is gathered


Flow = Callable[[Roots, Floats, float], Floats]


def _stack(x: Floats | float, y: Floats | float, z: Floats | float, count: int) -> Floats:
    return np.stack([np.broadcast_to(v, count) for v in (x, y, z)], axis=1)


def short(roots: Roots, tips: Floats, t: float) -> Floats:
    """Forward over the forehead, down at the sides and back."""
    in_front = roots.front > 0.5
    lean = 0.25 * np.sign(roots.parting + 0.01)
    wish = _stack(
        roots.side * 0.25 * roots.top + lean * roots.front,
        np.where(in_front, 0.1, -0.7),
        np.where(in_front, 0.35 - 0.9 * t, -0.55),
        len(tips),
    )
    return np.asarray(wish + roots.normals * (0.28 * roots.front + 0.05)[:, None])


def spiky(roots: Roots, tips: Floats, t: float) -> Floats:
    """Away from the head, up on top."""
    away = roots.normals * 0.9 * (0.35 + 0.65 * roots.top)[:, None]
    up = 0.6 * roots.top - 0.5 * (1 - roots.top) - 0.35 * t
    return np.asarray(away + _stack(0.0, up, 0.15 * roots.front - 0.35 * (1 - roots.top), len(tips)))


def slicked(roots: Roots, tips: Floats, t: float) -> Floats:
    """Straight back."""
    del t
    wish = _stack(roots.reference[:, 0] * 0.12, -0.25 - 0.25 * (1 - roots.top), -1.1, len(tips))
    return np.asarray(wish + roots.normals * 0.10)


def side_part(roots: Roots, tips: Floats, t: float) -> Floats:
    """Away from the parting with some volume at the root."""
    wish = _stack(
        roots.side * (0.95 * roots.top + 0.2 * roots.front) * (1 - 0.5 * t),
        0.35 * roots.front * (1 - t) - 0.75 * t - 0.5 * (1 - roots.top),
        0.30 * roots.front * (1 - 2.2 * t) - 0.55 * (1 - roots.top) - 0.1,
        len(tips),
    )
    return np.asarray(wish + roots.normals * 0.22 * (1 - t))


def draped(roots: Roots, tips: Floats, t: float) -> Floats:
    """Sideways off the parting, then down: what all longer cuts share."""
    outward = roots.side * max(0.0, 1 - 2.6 * t) * (0.25 + roots.top) * (1 + 0.5 * roots.front)
    down = -0.55 - 2.0 * t + 0.25 * roots.front * max(0.0, 1 - 4 * t)
    back = -0.55 * max(0.0, 1 - 1.8 * t) * (1 - 0.6 * roots.top)
    back = back - 0.25 * roots.front * max(0.0, 1 - 2 * t)
    return _stack(outward, down, back, len(tips))


def curtain(roots: Roots, tips: Floats, t: float) -> Floats:
    """Draped, swept back from the face."""
    return draped(roots, tips, t) + np.array([0, 0, -0.25])


def bob(roots: Roots, tips: Floats, t: float) -> Floats:
    """Draped, turning in below the ears."""
    wish = draped(roots, tips, t)
    if t > 0.5:
        wish[:, 0] -= np.sign(tips[:, 0]) * 0.35
    return wish


def long(roots: Roots, tips: Floats, t: float) -> Floats:
    """Draped, with a slow wave."""
    return draped(roots, tips, t) + np.array([0.12 * np.sin(9 * t + 6 * roots.phase), 0, 0])


def fringe(roots: Roots, tips: Floats, t: float) -> Floats:
    """Draped, but over the forehead straight down."""
    wish = draped(roots, tips, t)
    over = roots.fringe
    wish[over] = _stack(roots.reference[over, 0] * 0.30, -1.0, 0.42 * max(0.0, 1 - 4 * t), int(over.sum()))
    return wish


def wavy(roots: Roots, tips: Floats, t: float) -> Floats:
    """Draped in wide waves."""
    swing = 0.85 * np.sin(15 * t + 2.2 * roots.points[:, 1] + 5 * roots.phase) * min(1.0, 3 * t)
    return draped(roots, tips, t) + _stack(swing * 0.8, 0.0, swing * 0.45, len(tips))


def pixie(roots: Roots, tips: Floats, t: float) -> Floats:
    """Short, lying close, the fringe swept to one side."""
    lean = np.sign(roots.parting + 0.01)
    wish = _stack(
        lean * (0.7 * roots.front + 0.25 * roots.top),
        np.where(roots.front > 0.5, -0.15 - 0.5 * t, -0.75),
        np.where(roots.front > 0.5, 0.45 - 0.8 * t, -0.25),
        len(tips),
    )
    return np.asarray(wish + roots.normals * (0.16 * roots.top)[:, None])


def mohawk(roots: Roots, tips: Floats, t: float) -> Floats:
    """Straight up from a strip in the middle, fanning out."""
    del tips, t
    return np.asarray(roots.normals * np.array([0.25, 1.0, 1.0]) + np.array([0, 0.35, -0.05]))


def undercut(roots: Roots, tips: Floats, t: float) -> Floats:
    """Up and over to one side, with volume in front."""
    lean = np.sign(roots.parting + 0.01)
    wish = _stack(
        lean * (0.35 + 0.8 * t), 0.55 * roots.front * (1 - 1.6 * t) - 0.5 * t, -0.75 + 0.2 * t, len(tips)
    )
    return np.asarray(wish + roots.normals * 0.3 * (1 - t))


def to_knot(roots: Roots, tips: Floats, t: float) -> Floats:
    """Towards the knot of a bun or a ponytail."""
    del t
    return normalised(roots.knot - tips)
