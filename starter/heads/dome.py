"""The crown of a hat: a superellipsoid around the skull, in whose units hats and hair are measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from starter.heads.arrays import Bools, Floats, normalised
from starter.heads.regions import reference, scalp
from starter.heads.surface import HeadSurface

ROUNDNESS = 2.4  # exponent of the superellipse; 2 is an ellipse, more is boxier
CLEARANCE = 0.10  # decimetres above the skull
DomedKind = Literal["cap", "beanie", "wide-brim"]
_FITS: Mapping[DomedKind, tuple[float, float, float]] = {
    "beanie": (7.80, 6.95, 1.10),
    "cap": (7.86, 7.2, 1.0),
    "wide-brim": (7.80, 7.5, 1.16),
}
"""Height of the rim in front and behind (decimetres on the reference head), and of the crown (a factor)."""


@dataclass(frozen=True)
class Dome:
    """A crown over the skull: centre of the rim, its axes (rows: right, forward, up) and half lengths."""

    centre: Floats
    axes: Floats
    half: Floats

    def local(self, points: Floats) -> Floats:
        """Points (n, 3) in units of the half lengths."""
        return np.asarray((points - self.centre) @ self.axes.T / self.half)

    def world(self, local: Floats) -> Floats:
        """Back from units of the half lengths."""
        return np.asarray((local * self.half) @ self.axes + self.centre)


def fit_dome(surface: HeadSurface, kind: DomedKind) -> Dome:
    """A crown of this kind that the skull fits under."""
    front_y, back_y, tall = _FITS[kind]
    points, skin = reference().points, surface.skin
    middle = (np.abs(points[:, 0]) < 0.05) & (reference().mouth < 0.3)
    front = skin[nearest_vertex(middle & (points[:, 2] > 1.0), points[:, 1], front_y)]
    back = skin[nearest_vertex(middle & (points[:, 2] < 0.0), points[:, 1], back_y)]
    forward = normalised((front - back) * np.array([0, 1, 1]))
    right = np.array([1.0, 0, 0])
    axes = np.stack([right, forward, np.cross(right, -forward)])
    if axes[2, 1] < 0:
        axes[2] *= -1
    centre = (front + back) / 2 * np.array([0, 1, 1])
    skull = (skin[scalp()] - centre) @ axes.T
    skull = skull[skull[:, 2] > -0.1]
    half = np.array([np.abs(skull[:, 0]).max(), np.linalg.norm(front - back) / 2, skull[:, 2].max()])
    unit = skull / half
    reach = (np.hypot(unit[:, 0], unit[:, 1]) ** ROUNDNESS + np.clip(unit[:, 2], 0, None) ** ROUNDNESS).max()
    half = half * float(reach) ** (0.6 / ROUNDNESS) + CLEARANCE
    return Dome(centre, axes, half * np.array([1, 1, tall]))


def nearest_vertex(where: Bools, values: Floats, wanted: float) -> int:
    """The vertex of the mask whose value is nearest to `wanted`."""
    candidates = np.flatnonzero(where)
    return int(candidates[np.argmin(np.abs(values[candidates] - wanted))])
