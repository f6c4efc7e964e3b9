"""Working on a large picture in pieces."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.fusion.domain.tiles import Tiling, in_tiles
from shared.cancellation import CancellationToken, Cancelled

SMALL = Tiling(side_px=96, margin_px=16, feather_px=16)
sides = st.integers(1, 330)


def noise(height, width):
    return np.random.default_rng(height * 1000 + width).integers(0, 256, (height, width, 3), dtype=np.uint8)


@settings(max_examples=40, deadline=None)
@given(sides, sides, st.sampled_from([1, 2]))
def test_any_size_comes_back_whole(height, width, scale):
    image = noise(height, width)

    def repeated(piece):
        return piece.repeat(scale, axis=0).repeat(scale, axis=1)

    assert (in_tiles(image, repeated, scale=scale, tiling=SMALL) == repeated(image)).all()


@settings(max_examples=15, deadline=None)
@given(sides, sides, st.integers(1, 16))
def test_result_is_that_of_the_whole_where_the_margin_covers_what_a_pixel_depends_on(height, width, reach):
    image, window = noise(height, width), (2 * reach + 1, 2 * reach + 1)

    def blurred(piece):
        return np.asarray(cv2.blur(piece, window, borderType=cv2.BORDER_REPLICATE), np.uint8)

    difference = in_tiles(image, blurred, scale=1, tiling=SMALL).astype(int) - blurred(image)

    # One level: neighbours are mixed after each was rounded.
    assert np.abs(difference).max() <= 1


def test_neighbours_that_disagree_are_mixed_without_a_step():
    level = iter(range(0, 250, 60))

    made = in_tiles(
        noise(80, 144), lambda piece: np.full_like(piece, next(level)), scale=1, tiling=SMALL
    ).astype(int)

    assert made.min() == 0 and made.max() == 60
    assert np.abs(np.diff(made, axis=1)).max() <= 60 / SMALL.feather_px + 1


def test_no_piece_is_larger_than_agreed_and_starts_off_the_grid():
    seen = []

    in_tiles(noise(250, 410), lambda piece: seen.append(piece.shape) or piece, scale=1, tiling=SMALL)

    assert len(seen) > 10
    assert max(max(shape[:2]) for shape in seen) <= SMALL.side_px
    assert all(start % SMALL.step_px == 0 for start, _ in SMALL.pieces(410))


def test_cancelled_between_two_pieces():
    token, done = CancellationToken(), []

    def work(piece):
        done.append(1)
        token.cancel()
        return piece

    with pytest.raises(Cancelled):
        in_tiles(noise(250, 250), work, scale=1, tiling=SMALL, before_piece=token.raise_if_cancelled)
    assert len(done) == 1


def test_tiles_that_would_not_advance_are_refused():
    with pytest.raises(ValueError, match="larger"):
        Tiling(side_px=64, margin_px=16, feather_px=32)
