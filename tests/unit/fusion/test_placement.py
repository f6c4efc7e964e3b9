"""Where the marks of a person go on a candidate, and which do not show."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.fusion.domain.cover import is_bare
from services.fusion.domain.head_map import face_map
from services.fusion.domain.marks import RecurringMark, Sighting
from services.fusion.domain.placement import MarkSkip, place_marks
from services.fusion.domain.structure import DenseLandmarks, FoundMark
from tests.support.posed_head import draw_head

CHEEK, TEMPLE, CHIN = (0.55, 0.6), (-0.85, 0.2), (0.05, 1.5)


def mark(place, radius=0.035, kind="mole", confidence=0.9):
    sighting = Sighting(kind, *place, radius, confidence)
    return RecurringMark(kind, *place, radius, confidence, {0: sighting}, 1)


def place(marks, face, size=(256, 256), present=()):
    return place_marks(marks, face, face_map(face), size, present)


def reasons(marks, face, **how):
    return [placed.reason for placed in place(marks, face, **how)]


def test_marks_go_where_the_pose_takes_their_skin():
    _, ahead = draw_head()
    _, turned = draw_head(yaw=25)

    (first,), (second,) = place([mark(CHEEK)], ahead), place([mark(CHEEK)], turned)

    assert (first.reason, second.reason) == (None, None)
    assert first.radius_px == pytest.approx(0.035 * 52, rel=0.02) == pytest.approx(second.radius_px, rel=0.05)
    narrower = np.linalg.norm(np.array(second.jacobian).reshape(2, 2)[:, 0])
    assert narrower < 0.95 * np.linalg.norm(np.array(first.jacobian).reshape(2, 2)[:, 0])


def test_a_mark_that_turns_away_is_left_out():
    _, face = draw_head(yaw=-60)

    assert reasons([mark((-0.95, 0.5)), mark(CHEEK)], face) == [MarkSkip.TURNED_AWAY, None]


def test_a_mark_under_hair_is_left_out():
    _, face = draw_head(hidden=(70, 100, 105, 150))

    assert reasons([mark(TEMPLE), mark(CHEEK)], face) == [MarkSkip.COVERED, None]


def test_a_mark_half_under_hair_is_left_out_but_a_scar_is_not():
    _, face = draw_head(hidden=(0, 143, 256, 147))

    assert reasons([mark(CHEEK, 0.1), mark(CHEEK, 0.1, "scar")], face) == [MarkSkip.COVERED, MarkSkip.COVERED]
    _, face = draw_head(hidden=(0, 146, 256, 256))
    assert reasons([mark(CHEEK, 0.16), mark(CHEEK, 0.16, "scar")], face) == [MarkSkip.COVERED, None]


def test_without_a_part_map_hidden_landmarks_speak_for_the_skin_beside_them():
    _, face = draw_head()
    visibility = np.where(face.dense.points[:, 0] < 118, 0.1, 0.95).astype(np.float32)
    face = replace(face, parts=None, dense=DenseLandmarks(face.dense.points, visibility))

    assert reasons([mark(TEMPLE), mark(CHEEK)], face) == [MarkSkip.COVERED, None]


def test_a_mark_beyond_the_edge_of_the_picture_is_left_out():
    _, face = draw_head(centre=(128, 200))

    assert reasons([mark(CHIN), mark(CHEEK)], face) == [MarkSkip.OUTSIDE, None]


def test_a_mark_too_small_to_be_seen_is_left_out():
    _, face = draw_head(scale=20)

    assert reasons([mark(CHEEK, 0.012), mark(CHIN, 0.05)], face) == [MarkSkip.TOO_SMALL, None]


def test_a_mark_that_is_there_already_is_left_out_and_stands_for_one_alone():
    _, face = draw_head()
    (there,) = place([mark(CHEEK)], face)
    present = [FoundMark("spot", there.x_px + 1, there.y_px, 2.0, 0.7)]
    twins = [mark(CHEEK), mark((CHEEK[0] + 0.045, CHEEK[1]))]

    assert reasons(twins, face, present=present) == [MarkSkip.PRESENT, None]
    far = [FoundMark("spot", there.x_px + 8, there.y_px, 2.0, 0.7)]
    assert reasons([mark(CHEEK)], face, present=far) == [None]


def test_faces_with_five_landmarks_alone_are_served_too():
    _, face = draw_head(roll=10)
    five = replace(face, dense=None, parts=None)

    (flat,), (dense,) = place([mark(CHEEK)], five), place([mark(CHEEK)], face)

    assert flat.reason is None
    assert np.hypot(flat.x_px - dense.x_px, flat.y_px - dense.y_px) < 0.12 * 52
    assert reasons([mark((1.8, 0.2))], five) == [MarkSkip.TURNED_AWAY]


@settings(max_examples=20, deadline=None)
@given(st.floats(-30, 30), st.floats(-30, 30), st.integers(0, 200), st.integers(0, 200))
def test_no_mark_is_ever_placed_on_what_is_no_skin(yaw, roll, x0, y0):
    _, face = draw_head(yaw=yaw, roll=roll, hidden=(x0, y0, x0 + 56, y0 + 56))
    marks = [mark((x, y)) for x in (-0.9, -0.4, 0.0, 0.4, 0.9) for y in (-0.8, 0.3, 1.0, 1.5)]

    for placed in place(marks, face):
        if placed.reason is None:
            assert face.parts.labels[int(placed.y_px), int(placed.x_px)] == 1


def test_bare_skin_is_told_from_cover_within_a_disc():
    _, face = draw_head(hidden=(128, 0, 256, 256))
    pixels = np.array([(100.0, 150.0), (127.0, 150.0), (127.0, 150.0), (150.0, 150.0), (5.0, 5.0)])

    assert list(is_bare(face, pixels, np.array([4.0, 0.1, 9.0, 1.0, 1.0]))) == [
        True,
        True,
        False,
        False,
        False,
    ]
