"""Names for the array types that the head library passes around."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
"""Real numbers; the shape is stated where it matters. Points are (n, 3), in decimetres."""

Ints = NDArray[np.integer[Any]]
"""Indices; triangles are (n, 3), quads (n, 4)."""

Bools = NDArray[np.bool_]
"""Masks over vertices."""

Image = NDArray[np.uint8]
"""RGB, H x W x 3, unless the name says otherwise."""


def smoothstep(low: float | Floats, high: float | Floats, x: float | Floats) -> Floats:
    """Hermite ramp from 0 at `low` to 1 at `high`; `high` < `low` makes it fall (as GLSL's smoothstep)."""
    t = np.clip((np.asarray(x) - low) / (np.asarray(high) - low), 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t))


def normalised(vectors: Floats) -> Floats:
    """Vectors of length one along the last axis; a zero vector stays (almost) zero."""
    return np.asarray(vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-9))
