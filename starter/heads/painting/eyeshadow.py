"""Where eyeshadow goes: the upper lid and a little above it."""

from functools import cache

import numpy as np

from starter.heads.arrays import Floats
from starter.heads.regions import PAINT_MAP

_CENTRE_X, _CENTRE_Y = 0.33, 7.37  # decimetres on the reference head


@cache
def eyeshadow_layer() -> Floats:
    """Strength in [0, 1], the same map for everyone; the makeup of the skin scales it."""
    angle, y = PAINT_MAP.grid()
    x = np.abs(np.sin(angle)) * 1.08
    outward = x - _CENTRE_X
    height = y - _CENTRE_Y - 0.06 * outward
    along = np.exp(-(np.abs(outward / 0.19) ** 3))
    across = np.where(height < 0, np.exp(-((height / 0.06) ** 2)), np.exp(-((height / 0.075) ** 2)))
    return np.asarray(0.8 * along * across * (np.abs(angle) < 1.2), np.float32)
