"""Bounded decoding of untrusted bytes."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import Image

from shared.images import (
    ImageFormatUnsupported,
    ImageLimits,
    ImageTooLarge,
    ImageTruncated,
    ImageUnreadable,
    decode_image,
    encode_jpeg,
    encode_png,
    upright_size,
)

ORIENTATION_TAG = 0x0112


def picture(width=6, height=4, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def encoded(image: Image.Image, form: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=form, **options)
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, *chunks, bit_depth=8, colour_type=2) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bit_depth, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND", b"")


def decode(data: bytes, **options):
    return decode_image(data, name="image 2", **options)


@given(npst.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))))
def test_png_round_trip_is_exact_and_deterministic(rgb):
    data = encode_png(rgb)

    np.testing.assert_array_equal(decode(data), rgb)
    assert encode_png(rgb.copy()) == data


def test_result_is_writable_contiguous_rgb():
    rgb = decode(encode_jpeg(picture(40, 30)))

    assert (rgb.shape, rgb.dtype) == ((30, 40, 3), np.uint8)
    assert rgb.flags.writeable
    assert rgb.flags.c_contiguous


def test_colour_order_is_red_first():
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 255

    assert decode(encoded(Image.fromarray(red), "BMP"))[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("form", ["PNG", "WEBP", "BMP", "TIFF"])
def test_lossless_formats_give_the_same_pixels(form):
    rgb = picture(16, 12)
    options = {"lossless": True} if form == "WEBP" else {}

    np.testing.assert_array_equal(decode(encoded(Image.fromarray(rgb), form, **options)), rgb)


@pytest.mark.parametrize("data", [b"", b"x", b"just some text", b"\x00" * 4096, b"<html></html>"])
def test_not_an_image(data):
    with pytest.raises(ImageUnreadable, match=r"image 2 is not an image.*Send a PNG"):
        decode(data)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_truncated(form, share):
    data = encoded(Image.fromarray(picture(200, 200)), form)

    with pytest.raises(ImageTruncated, match=r"image 2 ends before.*Send the whole file again"):
        decode(data[: max(16, int(len(data) * share))])


def test_damaged_inside_is_unreadable_not_truncated():
    data = bytearray(encoded(Image.fromarray(picture(200, 200)), "PNG"))
    data[60:90] = bytes(30)

    with pytest.raises(ImageUnreadable):
        decode(bytes(data))


def test_hundred_megapixel_header_is_refused_before_decoding():
    data = png(10_000, 10_000, chunk(b"IDAT", zlib.compress(b"")))

    with pytest.raises(ImageTooLarge, match=r"image 2 has (100.0 megapixels|too many pixels)"):
        decode(data)


def test_header_over_pillows_own_bomb_limit_is_the_same_error():
    data = png(60_000, 60_000, chunk(b"IDAT", zlib.compress(b"")))

    with pytest.raises(ImageTooLarge, match=r"limit is 50\.0 megapixels"):
        decode(data)


def test_decompression_bomb_of_real_pixels_is_refused_by_its_header():
    """12000 x 12000 black pixels in 180 kB."""
    rows = zlib.compress(bytes(12_000 // 8 + 1) * 12_000, 9)
    data = png(12_000, 12_000, chunk(b"IDAT", rows), bit_depth=1, colour_type=0)
    assert len(data) < 200_000

    with pytest.raises(ImageTooLarge):
        decode(data)


def test_decompression_bomb_in_a_text_chunk_is_refused():
    bomb = chunk(b"zTXt", b"comment\x00\x00" + zlib.compress(bytes(48 * 2**20), 9))
    pixels = chunk(b"IDAT", zlib.compress(bytes(4)))

    with pytest.raises((ImageTooLarge, ImageUnreadable)):
        decode(png(1, 1, bomb, pixels))


def test_more_image_data_than_the_header_says_costs_nothing():
    pixels = chunk(b"IDAT", zlib.compress(bytes(48 * 2**20), 9))

    assert decode(png(1, 1, pixels)).shape == (1, 1, 3)


def test_limits_are_on_bytes_pixels_and_frames():
    data = encode_png(picture(20, 10))
    frames = [Image.fromarray(picture(seed=seed)) for seed in range(3)]
    animation = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:])

    assert decode(data, limits=ImageLimits(max_bytes=len(data), max_pixels=200)).shape == (10, 20, 3)
    with pytest.raises(ImageTooLarge, match="MiB"):
        decode(data, limits=ImageLimits(max_bytes=len(data) - 1))
    with pytest.raises(ImageTooLarge, match="megapixels"):
        decode(data, limits=ImageLimits(max_pixels=199))
    with pytest.raises(ImageTooLarge, match=r"3 frames; the limit is 1 frame.*still picture"):
        decode(animation)


def test_cmyk_becomes_rgb():
    cmyk = Image.new("CMYK", (8, 8), (0, 255, 255, 0))

    for form in ("JPEG", "TIFF"):
        red, green, blue = decode(encoded(cmyk, form))[4, 4].tolist()
        assert red > 240
        assert green < 15
        assert blue < 15


def test_16_bit_grey_is_scaled_not_clipped():
    levels = np.array([[0, 128, 257, 32768, 65535]], np.uint16)

    for form in ("PNG", "TIFF"):
        rgb = decode(encoded(Image.fromarray(levels), form))
        assert rgb[0, :, 0].tolist() == [0, 0, 1, 128, 255]
        assert (rgb == rgb[..., :1]).all()


def test_16_bit_colour_keeps_its_brightness():
    row = b"\x00" + struct.pack(">6H", 65535, 32768, 0, 0, 257 * 10, 65535)
    data = png(2, 1, chunk(b"IDAT", zlib.compress(row)), bit_depth=16)

    assert decode(data)[0].tolist() == [[255, 128, 0], [0, 10, 255]]


@pytest.mark.parametrize("mode", ["L", "1", "P"])
def test_grey_bilevel_and_palette_become_rgb(mode):
    source = Image.fromarray(picture()).convert(mode)

    np.testing.assert_array_equal(decode(encoded(source, "PNG")), np.asarray(source.convert("RGB")))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_laid_over_white(mode):
    black = Image.new(mode, (3, 1), 0)
    for x, alpha in enumerate((0, 128, 255)):
        black.putpixel((x, 0), (*[0] * (len(mode) - 1), alpha))

    assert decode(encoded(black, "PNG"))[0, :, 0].tolist() == [255, 127, 0]


def test_transparent_palette_colour_is_laid_over_white():
    source = Image.new("P", (2, 1), 0)
    source.putpalette([10, 20, 30, 40, 50, 60])
    source.putpixel((1, 0), 1)

    assert decode(encoded(source, "PNG", transparency=0))[0].tolist() == [[255, 255, 255], [40, 50, 60]]


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1", b"hevc"])
def test_heic_is_named_with_a_remedy(brand):
    data = struct.pack(">I", 24) + b"ftyp" + brand + bytes(12) + bytes(1000)

    with pytest.raises(ImageFormatUnsupported, match=r"HEIC.*Send it as JPEG or PNG.*Most Compatible"):
        decode(data)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"GIF89a" + bytes(50), "GIF"),
        (bytes(4) + b"ftypavif" + bytes(50), "AVIF"),
        (bytes(4) + b"ftypisom" + bytes(50), "video"),
        (b"8BPS" + bytes(50), "Photoshop"),
        (b"%PDF-1.7", "PDF"),
        (b"<svg xmlns=''/>", "SVG"),
    ],
)
def test_other_known_formats_are_named(data, name):
    with pytest.raises(ImageFormatUnsupported, match=f"is a {name} file"):
        decode(data)


def test_floating_point_tiff_is_refused():
    with pytest.raises(ImageFormatUnsupported, match="floating-point TIFF"):
        decode(encoded(Image.fromarray(np.ones((4, 4), np.float32)), "TIFF"))


# Stored pixels are turned so that, with their EXIF orientation applied, all eight show the same picture.
STORED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_exif_orientation_is_applied(orientation, form):
    upright = np.zeros((48, 32, 3), np.uint8)
    upright[:24, :16] = (255, 0, 0)
    upright[:24, 16:] = (0, 255, 0)
    upright[24:, :16] = (0, 0, 255)
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](upright)))
    rgb = decode(encoded(stored, form, exif=exif))

    assert rgb.shape == upright.shape
    assert upright_size(encoded(stored, form, exif=exif), name="photo") == (32, 48)
    assert np.abs(rgb.astype(int) - upright).mean() < (1 if form == "PNG" else 6)


def test_size_is_read_without_decoding_and_within_the_limits():
    whole = encode_png(picture(64, 48))

    assert upright_size(whole[:200], name="photo") == (64, 48) == upright_size(whole, name="photo")
    with pytest.raises(ImageTooLarge):
        upright_size(whole, name="photo", limits=ImageLimits(max_pixels=100))
    with pytest.raises(ImageUnreadable):
        upright_size(b"no picture", name="photo")


# Pillow warns of damaged metadata; the decoder ignores that where the pixels are whole.
@pytest.mark.filterwarnings("ignore::UserWarning")
@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_but_image_errors(data):
    for start in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF", b"BM", b"II*\x00", b"MM\x00*"):
        try:
            decode(start + data)
        except (ImageUnreadable, ImageTruncated, ImageTooLarge, ImageFormatUnsupported):
            continue


@pytest.mark.parametrize(
    "wrong", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((4, 4, 4), np.uint8)]
)
def test_encoders_refuse_anything_but_rgb_bytes(wrong):
    for encode in (encode_png, encode_jpeg):
        with pytest.raises(ValueError, match="expected"):
            encode(wrong)


def test_jpeg_quality_is_bounded_and_matters():
    rgb = picture(64, 64)

    assert len(encode_jpeg(rgb, quality=95)) > len(encode_jpeg(rgb, quality=20))
    for quality in (0, 96):
        with pytest.raises(ValueError, match="quality"):
            encode_jpeg(rgb, quality=quality)
