"""Bounded decoding of untrusted image bytes to RGB."""

import io
import struct
import warnings
import zlib
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from shared.images.errors import ImageFormatUnsupported, ImageTooLarge, ImageTruncated, ImageUnreadable
from shared.images.limits import DEFAULT_LIMITS, ImageLimits
from shared.images.sniff import known_format, lacks_its_end, unsupported_format

# Pillow warns of damaged EXIF data and reads on; many cameras write such files, so it is no news.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

_T = TypeVar("_T")
_ORIENTATION, _LYING = 0x0112, (5, 6, 7, 8)
_PNG_METADATA = (b"eXIf", b"Raw profile type exif", b"XML:com.adobe.xmp")
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")
# A JPEG with a second, smaller picture behind the first (most phones write these) is one photo.
_MULTI_PICTURE = "MPO"
# What Pillow's readers raise on damaged files. ValueError is also its answer to a text chunk that inflates
# beyond its own limit.
_DECODER_ERRORS = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError)
_DAMAGE = (*_DECODER_ERRORS, struct.error, zlib.error, OverflowError)


def decode_image(data: bytes, *, name: str, limits: ImageLimits = DEFAULT_LIMITS) -> NDArray[np.uint8]:
    """Decode a PNG, JPEG, WebP, BMP or TIFF file.

    The EXIF orientation is applied; 16-bit samples are scaled to 8; CMYK and grey become RGB;
    transparency is laid over white. Embedded colour profiles are ignored.

    Args:
        data: The file.
        name: How errors call it, for example "image 2".
        limits: Bounds, all checked before a pixel is decoded.

    Returns:
        (H, W, 3) uint8, RGB, C-contiguous, writable.

    Raises:
        ImageTooLarge: Over a limit.
        ImageFormatUnsupported: HEIC and others, with advice on what to do.
        ImageTruncated: The file ends early.
        ImageUnreadable: Anything else.
    """

    def decoded(image: Image.Image) -> NDArray[np.uint8]:
        image.load()
        return _to_rgb(ImageOps.exif_transpose(image), name)

    return _opened(data, name, limits, decoded)


def upright_size(data: bytes, *, name: str, limits: ImageLimits = DEFAULT_LIMITS) -> tuple[int, int]:
    """Width and height that `decode_image` would give, from the file's header alone.

    Raises:
        ImageTooLarge, ImageFormatUnsupported, ImageTruncated, ImageUnreadable: as in `decode_image`, as far
            as the header tells.
    """

    def size(image: Image.Image) -> tuple[int, int]:
        width, height = image.size
        # Pillow decodes a whole PNG to look for metadata behind its pixels.
        has_none = image.format == "PNG" and not any(chunk in data for chunk in _PNG_METADATA)
        is_lying = not has_none and image.getexif().get(_ORIENTATION, 1) in _LYING
        return (height, width) if is_lying else (width, height)

    return _opened(data, name, limits, size)


def _opened(data: bytes, name: str, limits: ImageLimits, use: Callable[[Image.Image], _T]) -> _T:
    """What *use* makes of the file, which is within the limits; damage raises the typed errors."""
    if len(data) > limits.max_bytes:
        raise ImageTooLarge(image=name, size=f"{_mib(len(data))}", limit=_mib(limits.max_bytes))
    if unsupported := unsupported_format(data):
        raise ImageFormatUnsupported(image=name, format=unsupported[0], advice=unsupported[1])
    if known_format(data) is None:
        raise ImageUnreadable(image=name)
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            _check_bounds(image, name, limits)
            return use(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        # Pillow's own limit, far above ours, hits before we see the header's size.
        raise ImageTooLarge(
            image=name, size="too many pixels", limit=_megapixels(limits.max_pixels)
        ) from None
    except UnidentifiedImageError:
        raise _damage(data, name, "") from None
    except _DAMAGE as error:
        raise _damage(data, name, str(error)) from None


def _check_bounds(image: Image.Image, name: str, limits: ImageLimits) -> None:
    width, height = image.size
    if width * height > limits.max_pixels:
        raise ImageTooLarge(
            image=name, size=_megapixels(width * height), limit=_megapixels(limits.max_pixels)
        )
    frames = 1 if image.format == _MULTI_PICTURE else getattr(image, "n_frames", 1)
    if frames > limits.max_frames:
        raise ImageTooLarge(image=name, size=f"{frames} frames", limit=f"{limits.max_frames} frame")


def _to_rgb(image: Image.Image, name: str) -> NDArray[np.uint8]:
    if image.mode.startswith("I"):
        return _wide_grey_to_rgb(np.asarray(image))
    if image.mode == "F":
        advice = "floating-point samples have no defined white"
        raise ImageFormatUnsupported(image=name, format="floating-point TIFF", advice=advice)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, rgba)
    return np.array(image.convert("RGB"), dtype=np.uint8, order="C")


def _wide_grey_to_rgb(grey: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Scale 0..65535 to 0..255 with rounding: Pillow's own conversion clips everything over 255 to white."""
    clipped = np.clip(grey.astype(np.int64), 0, 65535)
    eight_bit = ((clipped + 128) // 257).astype(np.uint8)
    return np.ascontiguousarray(np.repeat(eight_bit[..., None], 3, axis=2))


def _damage(data: bytes, name: str, text: str) -> ImageTruncated | ImageUnreadable:
    if "truncated" in text or lacks_its_end(data):
        return ImageTruncated(image=name)
    return ImageUnreadable(image=name)


def _megapixels(pixels: int) -> str:
    return f"{pixels / 1e6:.1f} megapixels"


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:.1f} MiB"
