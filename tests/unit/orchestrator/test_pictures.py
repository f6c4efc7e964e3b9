"""Crops of references and thumbnails."""

import io

import numpy as np
from PIL import Image

from services.orchestrator.adapters.pictures import PillowTools
from services.orchestrator.domain.faces import Face, Picture
from shared.images import decode_image, encode_png

TOOLS = PillowTools()


def face(x0: float, y0: float, side: float) -> Face:
    points = [
        (x0 + u * side, y0 + v * side)
        for u, v in ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.4, 0.8), (0.6, 0.8))
    ]
    return Face(box_px=(x0, y0, x0 + side, y0 + side), landmarks_px=tuple(points))


def photo(width: int, height: int, dot: tuple[int, int]) -> Picture:
    """Black with one white square of 21 px around the dot."""
    rgb = np.zeros((height, width, 3), np.uint8)
    x, y = dot
    rgb[y - 10 : y + 11, x - 10 : x + 11] = 255
    return Picture(encode_png(rgb), "photo")


def test_a_small_upright_photo_is_taken_as_it_is():
    crop = TOOLS.reference_crop(photo(200, 100, (50, 50)), face(30, 30, 40), 0)

    assert (crop.left_px, crop.top_px, crop.scale) == (0, 0, 1)
    assert decode_image(crop.data, name="crop").shape == (100, 200, 3)


def test_a_large_photo_is_cut_around_the_face_and_the_geometry_follows():
    nose = (2000, 1500)
    known = face(1800, 1260, 400)
    crop = TOOLS.reference_crop(photo(4000, 3000, nose), known, 0)

    rgb = decode_image(crop.data, name="crop")
    moved = known.moved(left_px=crop.left_px, top_px=crop.top_px, scale=crop.scale)
    x, y = moved.landmarks_px[2]
    assert max(rgb.shape[:2]) == 1024
    assert rgb[round(y), round(x), 0] > 200
    x0, _, x1, _ = moved.box_px
    assert abs((x1 - x0) - 1024 / 3) < 2


def test_a_face_at_the_border_stays_within_the_photo():
    crop = TOOLS.reference_crop(photo(2000, 1500, (20, 20)), face(0, 0, 300), 0)

    assert (crop.left_px, crop.top_px) == (0, 0)
    assert decode_image(crop.data, name="crop")[20, 20, 0] > 200


def test_a_turned_photo_comes_out_upright():
    """Face analysis turned it by 90 degrees clockwise and found the dot at the top right corner."""
    crop = TOOLS.reference_crop(photo(200, 100, (20, 30)), face(30, 30, 40), 90)

    rgb = decode_image(crop.data, name="crop")
    assert rgb.shape == (200, 100, 3)
    assert rgb[20, 100 - 1 - 30, 0] == 255


def test_a_thumbnail_is_small_whatever_the_picture():
    noise = np.random.default_rng(0).integers(0, 256, (512, 512, 3), dtype=np.uint8)

    small = TOOLS.thumbnail(encode_png(noise))

    assert len(small) <= 64 * 1024
    assert Image.open(io.BytesIO(small)).size == (192, 192)


def test_enlarging_keeps_every_pixel_in_its_place():
    rgb = np.kron(
        np.random.default_rng(1).integers(0, 256, (4, 5, 3), np.uint8), np.ones((8, 8, 1), np.uint8)
    )

    large = decode_image(TOOLS.enlarge(encode_png(rgb), 2), name="large")

    assert large.shape == (64, 80, 3)
    # In the middle of a flat patch nothing is interpolated.
    assert np.abs(large[8::16, 8::16].astype(int) - rgb[4::8, 4::8]).max() <= 2
