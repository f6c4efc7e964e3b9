"""Pictures for tests of faces: the sample identities of the starter pack, and ways to spoil them."""

import io
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shared.images import encode_jpeg, encode_png

Rgb = NDArray[np.uint8]

SAMPLES = Path(__file__).parents[2] / "starter" / "samples"
SKIN = (224, 172, 132)


@cache
def sample_files() -> dict[str, tuple[Path, ...]]:
    """Name of a sample identity -> its renders, in order."""
    folders = sorted(folder for folder in SAMPLES.iterdir() if (folder / "0.png").is_file())
    return {folder.name: tuple(sorted(folder.glob("[0-9].png"))) for folder in folders}


def sample(person: int, view: int = 0) -> Rgb:
    """One render, (256, 256, 3) RGB; *person* counts the sample identities by name."""
    name = list(sample_files())[person]
    return np.asarray(Image.open(sample_files()[name][view]).convert("RGB")).copy()


def sample_png(person: int, view: int = 0) -> bytes:
    """The file of `sample`."""
    return encode_png(sample(person, view))


def scenery(height: int = 192, width: int = 256) -> Rgb:
    """A picture without a face: sky, hills and noise."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[0:height, 0:width]
    hill = y > height * (0.6 + 0.1 * np.sin(x / 40))
    picture = np.where(hill[..., None], (60, 110, 60), (120, 160, 220)) + rng.normal(0, 6, (height, width, 1))
    return np.clip(picture, 0, 255).astype(np.uint8)


def side_by_side(*pictures: Rgb) -> Rgb:
    """Pictures of one height in a row."""
    return np.concatenate(pictures, axis=1)


def with_bystander(picture: Rgb, bystander: Rgb, share: float) -> Rgb:
    """*picture* twice as wide, with *bystander* at *share* of its size in the new part."""
    small = cv2.resize(bystander, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    wide = np.full((picture.shape[0], picture.shape[1] * 2, 3), 128, np.uint8)
    wide[:, : picture.shape[1]] = picture
    wide[: small.shape[0], -small.shape[1] :] = small
    return wide


def blurred(picture: Rgb, sigma_px: float = 4.0) -> Rgb:
    """Out of focus."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma_px), np.uint8)


def exposed(picture: Rgb, gain: float) -> Rgb:
    """Darker (gain under 1) or brighter, clipped."""
    return np.clip(picture * gain, 0, 255).astype(np.uint8)


def resized(picture: Rgb, side_px: int) -> Rgb:
    """A square picture at another size."""
    return np.asarray(cv2.resize(picture, (side_px, side_px), interpolation=cv2.INTER_AREA), np.uint8)


def truncated(data: bytes) -> bytes:
    """The first half of a file."""
    return data[: len(data) // 2]


def exif_jpeg(picture: Rgb, orientation: int) -> bytes:
    """A JPEG whose pixels are stored so that EXIF *orientation* (1 to 8) makes them upright again."""
    undo = {
        1: None,
        3: Image.Transpose.ROTATE_180,
        6: Image.Transpose.ROTATE_90,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    image = Image.fromarray(picture)
    stored = image if undo is None else image.transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    stored.save(buffer, "JPEG", quality=95, exif=exif)
    return buffer.getvalue()


def saved_as(picture: Rgb, mode: str, kind: str) -> bytes:
    """The picture in another Pillow mode ("CMYK", "RGBA", "L") and format."""
    buffer = io.BytesIO()
    Image.fromarray(picture).convert(mode).save(buffer, kind)
    return buffer.getvalue()


def sixteen_bit_png(picture: Rgb) -> bytes:
    """The picture as 16-bit grey."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.uint16) * 257
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, "PNG")
    return buffer.getvalue()


def huge_png(side_px: int = 10_000) -> bytes:
    """A small file of 100 megapixels: a decompression bomb."""
    buffer = io.BytesIO()
    Image.new("1", (side_px, side_px)).save(buffer, "PNG")
    return buffer.getvalue()


def heic_header() -> bytes:
    """The first bytes of an iPhone photo."""
    return b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(64)


def drawn_face(
    seed: int = 0, *, size: int = 128, centre: tuple[int, int] = (64, 64), radius: int = 32
) -> Rgb:
    """What the fake backend takes for a face: an ellipse of skin with features that depend on *seed*."""
    picture = np.full((size, size, 3), (90, 110, 140), np.uint8)
    draw_face(picture, seed, centre, radius)
    return picture


def draw_face(picture: Rgb, seed: int, centre: tuple[int, int], radius: int) -> None:
    """Draw such a face into a picture."""
    rng = np.random.default_rng(seed)
    x, y = centre
    cv2.ellipse(picture, centre, (radius, int(radius * 1.2)), 0, 0, 360, SKIN, -1)
    for _ in range(6):
        place = (
            x + int(rng.integers(-radius // 2, radius // 2)),
            y + int(rng.integers(-radius // 2, radius // 2)),
        )
        # Reddish, so that a feature does not cut the patch of skin apart.
        colour = (int(rng.integers(150, 250)), int(rng.integers(80, 130)), int(rng.integers(20, 70)))
        cv2.circle(picture, place, max(2, radius // 4), colour, -1)


def jpeg(picture: Rgb, quality: int = 90) -> bytes:
    """The picture as JPEG."""
    return encode_jpeg(picture, quality)
