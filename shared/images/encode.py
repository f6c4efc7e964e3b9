"""Deterministic encoding: the same pixels give the same bytes."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def encode_png(rgb: NDArray[np.uint8]) -> bytes:
    """Encode (H, W, 3) uint8 RGB as PNG: lossless, no metadata, fixed compression.

    Raises:
        ValueError: Another shape or dtype.
    """
    buffer = io.BytesIO()
    _picture(rgb).save(buffer, format="PNG", compress_level=6)
    return buffer.getvalue()


def encode_jpeg(rgb: NDArray[np.uint8], quality: int = 90) -> bytes:
    """Encode (H, W, 3) uint8 RGB as baseline JPEG with full chroma resolution.

    Args:
        rgb: The picture.
        quality: 1..95; higher keeps more.

    Raises:
        ValueError: Another shape or dtype, or a quality out of range.
    """
    if not 1 <= quality <= 95:
        raise ValueError(f"JPEG quality {quality} is outside 1..95")
    buffer = io.BytesIO()
    # Full chroma: skin and thin coloured lines suffer first from subsampling.
    _picture(rgb).save(buffer, format="JPEG", quality=quality, subsampling=0)
    return buffer.getvalue()


def _picture(rgb: NDArray[np.uint8]) -> Image.Image:
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ValueError(f"expected (H, W, 3) uint8, got {rgb.shape} {rgb.dtype}")
    return Image.fromarray(np.ascontiguousarray(rgb))
