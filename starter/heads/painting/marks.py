"""Freckles, moles and scars, and the blush of cheeks, nose and chin."""

from functools import cache
from itertools import pairwise

import numpy as np

from starter.heads.arrays import Floats
from starter.heads.identity import Mark, Skin
from starter.heads.painting import canvas
from starter.heads.regions import PAINT_MAP, face_pixels

PX_PER_DM = 300  # of the paint map, on the front of the face


def mark_layer(skin: Skin) -> Floats:
    """Darkness in [0, 1] of all marks; freckles are softer than moles."""
    moles, freckles, scars = canvas.blank(), canvas.blank(), canvas.blank()
    if skin.marks:
        centres = face_pixels(
            np.array([mark.x for mark in skin.marks]), np.array([mark.y for mark in skin.marks])
        )
        for mark, centre in zip(skin.marks, centres, strict=True):
            if mark.kind == "scar":
                _draw_scar(scars, mark, centre)
            else:
                layer = moles if mark.kind == "mole" else freckles
                canvas.disc(layer, centre, mark.radius * PX_PER_DM, mark.strength)
    soft = canvas.blur(freckles, 0.9) * 0.75
    return np.maximum(np.maximum(soft, canvas.blur(moles, 0.8)), canvas.blur(scars, 1.0) * 0.85)


def _draw_scar(layer: Floats, mark: Mark, centre: Floats) -> None:
    """A slightly bent line."""
    t = np.linspace(-1, 1, 9)
    along = np.array([np.cos(mark.angle), -np.sin(mark.angle)])
    across = np.array([along[1], -along[0]])
    reach = mark.radius * PX_PER_DM
    points = centre + reach * (t[:, None] * along + 0.12 * (t[:, None] ** 2) * across)
    for start, end in pairwise(points):
        canvas.stroke(layer, start, end, mark.strength, 4)


@cache
def blush_layer() -> Floats:
    """Redness in [0, 1], the same map for everyone; the skin's own redness scales it."""
    angle, y = PAINT_MAP.grid()
    x = np.sin(angle) * 0.95

    def spot(centre_x: float, centre_y: float, width: float, height: float) -> Floats:
        falloff = np.exp(-(((x - centre_x) / width) ** 2) - ((y - centre_y) / height) ** 2)
        return np.asarray(falloff * (np.abs(angle) < 1.5))

    cheeks = spot(0.46, 6.98, 0.2, 0.17) + spot(-0.46, 6.98, 0.2, 0.17)
    blush = 0.9 * cheeks + 0.8 * spot(0, 6.92, 0.15, 0.14) + 0.3 * spot(0, 6.2, 0.25, 0.12)
    return np.asarray(np.clip(blush, 0, 1.2) / 1.2, np.float32)
