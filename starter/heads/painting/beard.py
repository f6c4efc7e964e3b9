"""Where a beard darkens the skin. A full beard also gets strands (starter.heads.beard)."""

from functools import cache

import cv2
import numpy as np

from starter.heads.arrays import Floats, smoothstep
from starter.heads.identity import Identity
from starter.heads.regions import PAINT_MAP, reference

SHAVED = np.float32(0.12)  # what shaving leaves


def beard_layer(identity: Identity) -> Floats:
    """Density in [0, 1], with a streaky grain."""
    zones, kind = _zones(), identity.beard
    if identity.body.sex == "female":
        return np.zeros_like(zones["jaw"])
    everywhere = np.maximum.reduce([zones["jaw"], zones["moustache"], zones["sides"]])
    if kind in ("stubble", "full"):
        density = everywhere * np.float32(0.5 if kind == "stubble" else 1)
    elif kind == "goatee":
        density = np.maximum.reduce([zones["moustache"], zones["chin"], zones["sides"] * np.float32(0.9)])
    else:
        density = zones["moustache"] * np.float32(kind == "moustache")
    if kind in ("none", "moustache", "goatee"):
        density = np.maximum(density, SHAVED * np.maximum(zones["jaw"], zones["moustache"]))
    return np.asarray(density * _grain())


@cache
def _zones() -> dict[str, Floats]:
    angle, y = PAINT_MAP.grid()
    angle = np.abs(angle)
    top, bottom = reference().lip_top, reference().lip_bottom
    # The upper edge of a beard climbs from the mouth corners towards the ears.
    edge_low = 6.55 + 0.42 * np.clip(angle - 0.35, 0, 1)
    edge_high = 6.72 + 0.5 * np.clip(angle - 0.35, 0, 1.1)
    jaw = (
        smoothstep(5.75, 6.1, y)
        * (1 - smoothstep(edge_low, edge_high, y))
        * (1 - smoothstep(1.35, 1.6, angle))
    )
    droop = top + 0.075 - 0.35 * np.clip(angle - 0.12, 0, 1)
    moustache = np.exp(-1.2 * ((y - droop) / 0.062) ** 2) * (1 - smoothstep(0.26, 0.42, angle))
    under_lip = smoothstep(5.9, 6.15, y) * (1 - smoothstep(bottom - 0.06, bottom + 0.03, y))
    chin = under_lip * (1 - smoothstep(0.2, 0.38, angle))
    beside = smoothstep(6.0, 6.2, y) * (1 - smoothstep(top + 0.02, top + 0.14, y))
    sides = np.exp(-(((angle - 0.40) / 0.10) ** 2)) * beside
    zones = {"jaw": jaw, "moustache": moustache, "chin": chin, "sides": sides}
    return {name: np.asarray(zone, np.float32) for name, zone in zones.items()}


@cache
def _grain() -> Floats:
    """Factors around 1."""
    noise = np.random.default_rng(3).standard_normal((PAINT_MAP.size, PAINT_MAP.size)).astype(np.float32)
    grain = np.asarray(cv2.GaussianBlur(noise, (0, 0), sigmaX=1.2, sigmaY=2.0))
    return np.asarray(1 + 0.28 * grain / grain.std(), np.float32)
