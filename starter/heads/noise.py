"""The fixed noise texture that gives skin, iris and cloth their grain."""

from functools import cache

import cv2
import numpy as np

from starter.heads.arrays import Floats, Image

SIZE = 1024
RANGE = 3.2  # deviations; shaders/gbuffer.frag has the same number


@cache
def noise_map() -> Floats:
    """Smooth and fine noise, (SIZE, SIZE, 2) float32, mean about 0, deviation 1; always the same."""
    rng = np.random.default_rng(7)
    smooth = np.zeros((SIZE, SIZE), np.float32)
    for octave in range(5):
        cells = 24 * 2**octave + 3
        grid = rng.standard_normal((cells, cells)).astype(np.float32)
        smooth += 0.55**octave * np.asarray(cv2.resize(grid, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC))
    fine = np.asarray(cv2.GaussianBlur(rng.standard_normal((SIZE, SIZE)).astype(np.float32), (0, 0), 0.8))
    return np.stack([smooth / smooth.std(), fine / fine.std()], axis=-1).astype(np.float32)


def noise_bytes() -> Image:
    """The same as bytes: 127.5 is 0, 255 is RANGE deviations; what the shaders read."""
    return np.asarray(np.clip((noise_map() / RANGE + 1) * 127.5, 0, 255), np.uint8)
