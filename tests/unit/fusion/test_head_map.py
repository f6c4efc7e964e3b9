"""Places on a face, whatever its pose."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.fusion.domain.flat_map import FlatMap
from services.fusion.domain.head_map import HeadMap, face_map
from services.fusion.domain.structure import DenseLandmarks
from tests.support.posed_head import draw_head, five_of, posed

PLACES = np.array([(0.0, -0.7), (0.55, 0.6), (-0.6, 0.9), (0.3, 1.45), (-0.8, 0.3)])
yaws, pitches = st.floats(-30, 30), st.floats(-15, 15)


@settings(max_examples=30, deadline=None)
@given(yaws, pitches, st.floats(-40, 40), st.floats(20, 300))
def test_a_place_is_found_again_where_it_was_put(yaw, pitch, roll, scale):
    to_face = HeadMap.of(posed(yaw, pitch, roll, scale=scale))
    seen = to_face.facing(PLACES) > 0.3

    again = to_face.locate(to_face.project(PLACES[seen]))

    assert pytest.approx(PLACES[seen], abs=1e-3) == again


@settings(max_examples=20, deadline=None)
@given(yaws, st.floats(-180, 180), st.floats(0.2, 5), st.floats(-300, 300), st.floats(-300, 300))
def test_turning_moving_and_scaling_the_picture_does_the_same_to_every_mark(yaw, turn, size, dx, dy):
    dense, angle = posed(yaw, 3.0), np.radians(turn)
    linear = size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = DenseLandmarks((dense.points @ linear.T + (dx, dy)).astype(np.float32), dense.visibility)

    expected = HeadMap.of(dense).project(PLACES) @ linear.T + (dx, dy)

    assert pytest.approx(expected, abs=0.02 * size * 52) == HeadMap.of(moved).project(PLACES)


@settings(max_examples=20, deadline=None)
@given(yaws, pitches)
def test_a_mark_maps_to_itself_between_equal_faces(yaw, pitch):
    first, second = HeadMap.of(posed(yaw, pitch)), HeadMap.of(posed(yaw, pitch))
    pixels = first.project(PLACES)[first.facing(PLACES) > 0.3]

    assert pytest.approx(pixels, abs=0.05) == second.project(first.locate(pixels))


def test_the_skin_between_landmarks_moves_with_its_depth():
    """A flat triangle would leave the middle of the cheek behind when the head turns."""
    place = np.array([[0.55, 0.6]])
    ahead, turned = HeadMap.of(posed()), HeadMap.of(posed(yaw=30))

    moved = (turned.project(place) - ahead.project(place))[0, 0] / 52

    assert moved == pytest.approx(
        0.55 * (np.cos(np.radians(30)) - 1) - 0.32 * np.sin(np.radians(30)), abs=0.2
    )
    assert turned.facing(np.array([[-0.8, 0.3]]))[0] > turned.facing(np.array([[0.8, 0.3]]))[0]


@pytest.mark.parametrize("yaw", [-28, -10, 0, 17])
def test_the_jacobian_is_the_slope_of_the_projection(yaw):
    to_face = HeadMap.of(posed(yaw))
    slope = to_face.jacobian(PLACES)

    for k, step in enumerate(([0.01, 0.0], [0.0, 0.01])):
        change = (to_face.project(PLACES + step) - to_face.project(PLACES)) / 0.01
        assert pytest.approx(slope[..., k], abs=2.0) == change


def test_places_off_the_face_and_in_the_nostrils_face_nobody():
    to_face = HeadMap.of(posed())

    facing = to_face.facing(np.array([(1.6, 0.5), (0.0, 3.0), (0.12, 0.64), (0.5, 0.6)]))

    assert facing[:3] == pytest.approx([0, 0, 0])
    assert facing[3] > 0.6


def test_noise_of_the_landmarks_is_smoothed_away():
    dense, rng = posed(10), np.random.default_rng(0)
    noisy = DenseLandmarks(
        (dense.points + rng.normal(0, 1.0, dense.points.shape)).astype(np.float32), dense.visibility
    )

    off = np.linalg.norm(HeadMap.of(noisy).project(PLACES) - HeadMap.of(dense).project(PLACES), axis=1)

    assert off.mean() < 0.9


def test_hidden_landmarks_have_less_say():
    dense = posed()
    points, hidden = dense.points.copy(), dense.visibility.copy()
    points[:12] += 15
    hidden[:12] = 0.1
    elsewhere = PLACES[:4]
    true = HeadMap.of(dense).project(elsewhere)

    said, unsaid = (
        np.abs(HeadMap.of(DenseLandmarks(points, visibility)).project(elsewhere) - true).mean()
        for visibility in (hidden, dense.visibility)
    )

    assert said < 0.8 * unsaid


def test_five_landmarks_make_a_flat_face():
    _, face = draw_head(roll=20)
    flat = FlatMap.of(five_of(posed(roll=20)))

    assert isinstance(face_map(face), HeadMap)
    assert pytest.approx(PLACES, abs=1e-5) == flat.locate(flat.project(PLACES))
    assert list(flat.facing(np.array([(0.0, 0.4), (2.0, 0.0)]))) == [1, 0]
    assert flat.tolerance > HeadMap.of(posed()).tolerance
