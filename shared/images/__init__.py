"""Images in and out: bounded decoding of untrusted bytes, deterministic encoding."""

from shared.images.decode import decode_image, upright_size
from shared.images.encode import encode_jpeg, encode_png
from shared.images.errors import ImageFormatUnsupported, ImageTooLarge, ImageTruncated, ImageUnreadable
from shared.images.limits import DEFAULT_LIMITS, ImageLimits

__all__ = [
    "DEFAULT_LIMITS",
    "ImageFormatUnsupported",
    "ImageLimits",
    "ImageTooLarge",
    "ImageTruncated",
    "ImageUnreadable",
    "decode_image",
    "encode_jpeg",
    "encode_png",
    "upright_size",
]
