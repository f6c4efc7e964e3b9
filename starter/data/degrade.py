"""What spoils a picture, each with a strength in [0, 1]: 0 changes nothing, 1 leaves little to use.

Pictures are uint8 RGB (H, W, 3) with a face that fills about half of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Degradation = Callable[[Image, float, np.random.Generator], Image]


def blur(image: Image, strength: float, rng: np.random.Generator) -> Image:
    """Out of focus, or moved while the shutter was open; up to 2.5 % of the picture."""
    sigma = 0.25 + strength * 0.025 * image.shape[0]
    if rng.random() < 0.7:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)
    length, angle = 3.5 * sigma, rng.uniform(0, np.pi)
    reach = int(np.ceil(length / 2)) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for t in np.linspace(-length / 2, length / 2, 8 * reach):
        kernel[round(reach + t * np.sin(angle)), round(reach + t * np.cos(angle))] += 1
    return np.asarray(
        cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE), np.uint8
    )


def noise(image: Image, strength: float, rng: np.random.Generator) -> Image:
    """Grain of a deviation up to 45 of 255, in colour or in brightness alone, of one or two pixels' size."""
    height, width = image.shape[:2]
    channels = int(rng.choice([1, 3]))
    coarse = int(rng.choice([1, 1, 2]))
    grain = rng.standard_normal((height // coarse + 1, width // coarse + 1, channels), np.float32)
    grain = grain.repeat(coarse, 0).repeat(coarse, 1)[:height, :width]
    return _clipped(image + 45 * strength * grain)


def compression(image: Image, strength: float, _: np.random.Generator) -> Image:
    """JPEG of quality 90 down to 5."""
    quality = round(90 * (5 / 90) ** strength)
    _encoded, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None, "OpenCV reads what it wrote"
    return np.asarray(decoded[..., ::-1].copy(), np.uint8)


def resolution(image: Image, strength: float, rng: np.random.Generator) -> Image:
    """Made smaller, down to an eighth, and enlarged again."""
    height, width = image.shape[:2]
    factor = 1 / (1 + 7 * strength)  # about the blur of the same strength
    small = cv2.resize(
        image, (max(4, round(width * factor)), max(4, round(height * factor))), interpolation=cv2.INTER_AREA
    )
    method = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC]))
    return np.asarray(cv2.resize(small, (width, height), interpolation=method), np.uint8)


def exposure(image: Image, strength: float, rng: np.random.Generator) -> Image:
    """Too bright or too dark by up to three stops; what is clipped is gone."""
    stops = 3.0 * strength * rng.choice([-1.0, 1.0])
    light = (image.astype(np.float32) / 255) ** 2.2 * 2.0**stops
    return _clipped(np.clip(light, 0, 1) ** (1 / 2.2) * 255)


DEGRADATIONS: Mapping[str, Degradation] = {
    "blur": blur,
    "noise": noise,
    "compression": compression,
    "resolution": resolution,
    "exposure": exposure,
}


def _clipped(image: NDArray[np.float32]) -> Image:
    return np.asarray(np.clip(image + 0.5, 0, 255), np.uint8)
