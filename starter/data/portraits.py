"""Reading single pictures and part maps while training, for sets that are too large to keep in memory."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from starter.data.cropping import FULL_SIZE, HALF_SIZE, PartMap
from starter.data.manifest import Sample

Image = NDArray[np.uint8]

# The trainings run beside each other with one thread each.
cv2.setNumThreads(1)


def read_rgb(sample: Sample) -> Image:
    """The portrait, uint8 (H, W, 3). Raises FileNotFoundError."""
    image = cv2.imread(str(sample.image), cv2.IMREAD_COLOR)
    if image is None:
        raise FileNotFoundError(sample.image)
    return np.ascontiguousarray(image[..., ::-1])


def read_parts(sample: Sample) -> PartMap:
    """Its part map, at the picture's size where the data set has one. Raises FileNotFoundError."""
    path = sample.parts_full or sample.parts
    ids = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if ids is None:
        raise FileNotFoundError(path)
    return PartMap(np.asarray(ids, np.uint8), FULL_SIZE if sample.parts_full else HALF_SIZE)
