"""Bounds that an image must keep before any pixel of it is decoded."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ImageLimits:
    """Largest file, picture and animation that are decoded.

    Attributes:
        max_bytes: Size of the encoded file.
        max_pixels: Width times height, from the header. 50 megapixels hold any phone's photo and cost
            150 MB when decoded.
        max_frames: Frames of an animation or pages of a TIFF.
    """

    max_bytes: int = 32 * 2**20
    max_pixels: int = 50_000_000
    max_frames: int = 1


DEFAULT_LIMITS = ImageLimits()
