"""Pictures that carry their truth in their first pixels.

How many faces, whose, whether it is sharp, how alike and how good: the fakes read it from there and write it
on, so a whole portrait can be followed without any network.
"""

import numpy as np

from shared.images import encode_png

# How alike a picture is to its person, of 255: a photo, a generated picture, and a fused one.
PHOTO_LIKENESS, DRAWN_LIKENESS, FUSED_LIKENESS = 255, 100, 200


def picture(
    person: int,
    *,
    faces: int = 1,
    seed: int = 0,
    size_px: int = 64,
    sharp: bool = True,
    likeness: int = PHOTO_LIKENESS,
    judged: int = 80,
) -> bytes:
    """PNG of a "photo": noise by seed, the truth about its faces in the first pixels.

    ``likeness`` is of 255, ``judged`` (quality) of 100.
    """
    return encode_png(marked(noise([person, seed], size_px), person, faces, sharp, likeness, judged))


def noise(seeds: list[int], size_px: int) -> np.ndarray:
    """Return a square of noise, the same for the same seeds."""
    # Large grains: fine ones would make the encoding of PNG the slowest part of every test.
    grains = np.random.default_rng(seeds).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    return np.kron(grains, np.ones((size_px // 16, size_px // 16, 1), np.uint8))


def marked(
    rgb: np.ndarray,
    person: int,
    faces: int,
    sharp: bool = True,
    likeness: int = PHOTO_LIKENESS,
    judged: int = 80,
) -> np.ndarray:
    """Return a copy that carries this truth in its first five pixels."""
    copy = rgb.copy()
    copy[0, :5] = np.array([faces, person, int(sharp), likeness, judged])[:, None]
    return copy
