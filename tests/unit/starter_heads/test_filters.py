"""The finishes keep size and figure; each changes what it says."""

import numpy as np
import pytest

from starter.heads import filters
from starter.heads.arrays import Image
from starter.heads.filters import Filter
from starter.heads.parts import Part

ALL = (
    filters.sepia,
    filters.oil,
    filters.watercolor,
    filters.neon,
    filters.pixel,
    filters.lowpoly,
    filters.popart,
)


@pytest.fixture
def figure() -> tuple[Image, Image]:
    """A light disc with a dark eye on a blue ground, and its part map."""
    y, x = np.mgrid[:96, :96] - 48
    rgb = np.full((96, 96, 3), (30, 60, 150), np.uint8)
    parts = np.zeros((96, 96), np.uint8)
    disc, eye = np.hypot(x, y) < 34, np.hypot(x - 10, y + 8) < 5
    rgb[disc], parts[disc] = (220, 170, 140), Part.SKIN
    rgb[eye], parts[eye] = (40, 20, 10), Part.IRIS
    return rgb, parts


@pytest.mark.parametrize("finish", ALL, ids=lambda finish: finish.__name__)
def test_a_finish_keeps_the_figure_and_gives_equal_bytes(finish: Filter, figure: tuple[Image, Image]) -> None:
    rgb, parts = figure
    before = rgb.copy()
    done = finish(rgb, parts)
    assert done.shape == rgb.shape
    assert done.dtype == np.uint8
    assert np.array_equal(rgb, before)
    assert np.array_equal(done, finish(rgb, parts))
    assert not np.array_equal(done, rgb)
    value = done.astype(float).mean(axis=2)
    assert value[60, 48] > value[4, 4] + 10  # the face is still lighter than the ground


@pytest.mark.parametrize("level", [0, 255])
@pytest.mark.parametrize("finish", ALL, ids=lambda finish: finish.__name__)
def test_black_and_white_have_a_colour_in_every_finish(finish: Filter, level: int) -> None:
    rgb = np.full((96, 96, 3), level, np.uint8)
    finish(rgb, np.zeros((96, 96), np.uint8))  # what is no number would warn, which fails a test


def test_pixel_draws_squares(figure: tuple[Image, Image]) -> None:
    done = filters.pixel(*figure)
    large = filters.pixel(*(np.kron(a, np.ones((4, 4) + (1,) * (a.ndim - 2), np.uint8)) for a in figure))
    assert large.shape == (384, 384, 3)
    blocks = large.reshape(64, 6, 64, 6, 3)
    assert (blocks == blocks[:, :1, :, :1]).all()
    assert done.shape == (96, 96, 3)


def test_sepia_is_brown_everywhere(figure: tuple[Image, Image]) -> None:
    red, green, blue = np.moveaxis(filters.sepia(*figure).astype(int), 2, 0)
    assert (red >= green).all()
    assert (green >= blue).all()


def test_neon_glows_into_the_dark() -> None:
    rgb = np.zeros((64, 64, 3), np.uint8)
    rgb[28:36, 28:36] = 255
    done = filters.neon(rgb, np.zeros((64, 64), np.uint8))
    assert 10 < done[32, 38, 0] < 255
    assert done[2, 2, 0] < 5
