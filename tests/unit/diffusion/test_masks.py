"""Masks: the seam reaches exactly as far as it says, and the paste keeps bytes."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_cdt

from services.diffusion.domain.masks import cells, feathered, paste

_SHAPE = (24, 40)


@st.composite
def _rectangles(draw: st.DrawFn) -> NDArray[np.float32]:
    """Up to three rectangles of ones, perhaps none, perhaps at the border."""
    mask = np.zeros(_SHAPE, np.float32)
    for _ in range(draw(st.integers(0, 3))):
        y, x = draw(st.integers(0, 23)), draw(st.integers(0, 39))
        mask[y : y + draw(st.integers(1, 12)), x : x + draw(st.integers(1, 12))] = 1
    return mask


@settings(max_examples=60, deadline=None)
@given(mask=_rectangles(), reach=st.integers(0, 9))
def test_a_feather_keeps_the_mask_and_ends_at_its_reach(mask: NDArray[np.float32], reach: int) -> None:
    soft = feathered(mask, reach)

    assert soft.dtype == np.float32
    assert (soft[mask == 1] == 1).all()
    assert soft.min() >= 0
    assert soft.max() <= 1
    if mask.any():
        distance = distance_transform_cdt(1 - mask, metric="chessboard")
        assert (soft[distance > reach] == 0).all()
    else:
        assert not soft.any()


def test_a_feather_falls_evenly_across_its_reach() -> None:
    mask = np.zeros((1, 41), np.float32)
    mask[0, :11] = 1

    soft = feathered(mask, 10)[0]

    assert (np.diff(soft) <= 0).all()
    assert soft[11] < 1
    assert 0.4 < soft[15] < 0.6
    assert soft[20] > 0
    assert soft[21] == 0


def test_a_cell_counts_as_masked_for_one_pixel_of_it() -> None:
    mask = np.zeros((16, 24), np.float32)
    mask[9, 17] = 1

    np.testing.assert_array_equal(cells(mask, 8), [[0, 0, 0], [0, 0, 1]])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), mask=_rectangles(), reach=st.integers(0, 9))
def test_a_paste_is_the_scene_outside_and_the_drawn_inside(
    seed: int, mask: NDArray[np.float32], reach: int
) -> None:
    drawn, scene = np.random.default_rng(seed).integers(0, 256, (2, *_SHAPE, 3), dtype=np.uint8)
    soft = feathered(mask, reach)

    pasted = paste(drawn, scene, soft)

    np.testing.assert_array_equal(pasted[soft == 0], scene[soft == 0])
    np.testing.assert_array_equal(pasted[soft == 1], drawn[soft == 1])
    assert (pasted >= np.minimum(drawn, scene)).all()
    assert (pasted <= np.maximum(drawn, scene)).all()
