"""Sizes, strengths and steadiness."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.stylization.domain import Steadiness, mixed, work_size

sides = st.integers(1, 5000)


@given(sides, sides, st.integers(16, 512), st.integers(0, 1000), st.sampled_from([1, 8, 16]))
def test_work_size_keeps_the_aspect_and_pads_to_the_multiple(width, height, shortest, more, multiple):
    size = work_size(width, height, longest_px=shortest + more, shortest_px=shortest, multiple=multiple)

    assert shortest <= max(size.width_px, size.height_px) <= shortest + more
    assert 0 <= size.padded_width_px - size.width_px < multiple
    assert 0 <= size.padded_height_px - size.height_px < multiple
    assert 0 == size.padded_width_px % multiple == size.padded_height_px % multiple
    factor = max(size.width_px, size.height_px) / max(width, height)
    assert size.width_px == pytest.approx(width * factor, abs=1)
    assert size.height_px == pytest.approx(height * factor, abs=1)


def test_size_within_the_range_is_left_alone():
    size = work_size(300, 200, longest_px=640, shortest_px=192, multiple=16)

    assert (
        size.width_px,
        size.height_px,
        size.padded_width_px,
        size.padded_height_px,
    ) == (300, 200, 304, 208)


def pictures(seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (12, 10, 3), dtype=np.uint8) for _ in range(2)]


@given(st.floats(0, 1))
def test_mix_lies_between_original_and_drawing(strength):
    drawn, original = pictures()
    out = mixed(drawn, original, strength)

    low, high = np.minimum(drawn, original), np.maximum(drawn, original)
    assert (low <= out).all() and (out <= high).all()
    assert np.uint8 == out.dtype


def test_ends_of_the_mix_are_exact():
    drawn, original = pictures()

    assert (drawn == mixed(drawn, original, 1.0)).all()
    assert (original == mixed(drawn, original, 0.0)).all()


def test_flicker_of_a_still_scene_is_damped():
    frame = pictures()[0]
    rng = np.random.default_rng(1)
    drawn = [np.clip(frame + rng.normal(0, 20, frame.shape), 0, 255).astype(np.uint8) for _ in range(12)]
    steady = Steadiness(0.8)

    out = [steady.steadied(frame, d) for d in drawn]

    def flicker(sequence):
        pairs = itertools.pairwise(sequence[4:])
        return np.mean([np.abs(a.astype(int) - b).mean() for a, b in pairs])

    assert flicker(out) < 0.5 * flicker(drawn)


def test_what_moves_leaves_no_trail():
    black, white = np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 255, np.uint8)
    steady = Steadiness(0.9)
    steady.steadied(black, black)

    assert (white == steady.steadied(white, white)).all()


@pytest.mark.parametrize("amount", [0.0, 0.9])
def test_first_frame_a_new_size_and_amount_zero_pass_the_drawing_through(amount):
    drawn, frame = pictures()
    steady = Steadiness(amount)

    assert (drawn == steady.steadied(frame, drawn)).all()
    assert (drawn[:5] == steady.steadied(frame[:5], drawn[:5])).all()
    if amount == 0:
        assert (frame[:5] == steady.steadied(frame[:5], frame[:5])).all()
