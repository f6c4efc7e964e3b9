"""Freckles, moles and the blush of cheeks, nose and chin."""

from functools import cache

import numpy as np

from starter.heads.arrays import Floats
from starter.heads.identity import Skin
from starter.heads.painting import canvas
from starter.heads.regions import PAINT_MAP, face_pixels

MOST_FRECKLES = 260
PX_PER_DM = 300  # of the paint map, on the front of the face


def mark_layer(skin: Skin, rng: np.random.Generator) -> Floats:
    """Darkness in [0, 1] of freckles (soft) and moles (full)."""
    freckles = canvas.blank()
    count = int(MOST_FRECKLES * skin.freckles)
    if count:
        centres = face_pixels(rng.normal(0, 0.34, count), rng.normal(7.02, 0.17, count))
        radii, values = rng.uniform(1.2, 3.0, count), rng.uniform(0.25, 0.7, count)
        for centre, radius, value in zip(centres, radii, values, strict=True):
            canvas.disc(freckles, centre, float(radius), float(value))
        freckles = canvas.blur(freckles, 0.9)
    moles = canvas.blank()
    for mole in skin.moles:
        canvas.disc(moles, face_pixels(mole.x, mole.y)[0], mole.radius * PX_PER_DM, 1.0)
    return np.maximum(freckles * 0.6, canvas.blur(moles, 0.8))


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
    return np.asarray(np.clip(blush, 0, 1.2) / 1.2)
