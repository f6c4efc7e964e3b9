"""Moles: found, confirmed over several photos, and put back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fusion.adapters.opencv_marks import OpenCvMarks
from services.fusion.domain.face import Face
from services.fusion.domain.geometry import apply, face_frame
from services.fusion.domain.marks import Mark, recurring_marks
from tests.support.drawn_face import box_of, draw_face

# On the cheek, in the units of the drawn face; in face units (eye distance 44): (28 / 44, 15 / 44 + 10 / 44).
MOLE = (28.0, 10.0, 2.4)
MOLE_IN_FACE_UNITS = (28 / 44, 25 / 44)


def faced(**how):
    image, landmarks = draw_face(noise_seed=how.pop("noise_seed", 1), **how)
    return image, Face(box_of(landmarks), landmarks)


def mark(x, y, confidence=0.8):
    return Mark(x, y, 0.04, 0.6, 1.0, 1.0, confidence)


@pytest.mark.parametrize("angle", [-20, 0, 15])
@pytest.mark.parametrize("scale", [1.0, 1.4])
def test_mole_is_found_at_its_place_whatever_size_and_turn(angle, scale):
    found = OpenCvMarks().find(*faced(moles=[MOLE], angle_deg=angle, scale=scale))

    assert found
    assert pytest.approx((found[0].x, found[0].y), abs=0.03) == MOLE_IN_FACE_UNITS
    assert found[0].lightness_ratio < 0.85


@pytest.mark.parametrize("seed", range(4))
def test_clean_face_has_no_marks(seed):
    assert OpenCvMarks().find(*faced(noise_seed=seed, angle_deg=5.0 * seed)) == []


def test_mole_is_put_onto_another_face_in_its_light():
    finder = OpenCvMarks()
    sightings = [finder.find(*faced(moles=[MOLE], angle_deg=a, noise_seed=a)) for a in (0, 6, 12)]
    image, face = faced(skin=(120, 90, 75), scale=1.2, angle_deg=-8)

    painted, placed = finder.paint(image, face, recurring_marks(sightings))

    (mole,) = placed
    expected = apply(face_frame(face.landmarks5).to_px, np.array([MOLE_IN_FACE_UNITS]))[0]
    assert tuple(expected) == pytest.approx((mole.x_px, mole.y_px), abs=0.06 * 44 * 1.2)
    assert mole.seen_in == 3 and not mole.already_there
    x, y = round(mole.x_px), round(mole.y_px)
    ratio = painted[y, x].mean() / image[y, x].mean()
    assert 0.3 < ratio < 0.85
    changed = np.argwhere((painted != image).any(-1))
    assert np.abs(changed - (mole.y_px, mole.x_px)).max() < 12


def test_mole_that_is_there_already_is_listed_and_not_painted_again():
    finder = OpenCvMarks()
    sightings = [finder.find(*faced(moles=[MOLE], noise_seed=s)) for s in (1, 2)]
    image, face = faced(moles=[MOLE], angle_deg=5)

    painted, placed = finder.paint(image, face, recurring_marks(sightings))

    assert [m.already_there for m in placed] == [True]
    assert (painted == image).all()


def test_mark_that_would_fall_off_the_picture_is_left_out():
    image, face = faced(centre=(20, 130))
    recurring = recurring_marks([[mark(-0.6, 0.6)], [mark(-0.6, 0.6)]])

    painted, placed = OpenCvMarks().paint(image, face, recurring)

    assert placed == []
    assert (painted == image).all()


def test_dust_of_one_photo_is_no_mark():
    mole, dust = mark(0.5, 0.5), mark(-0.4, 0.7, confidence=1.0)

    kept = recurring_marks([[mole, dust], [mark(0.52, 0.49)], [mark(0.49, 0.51)]])

    assert [(3, pytest.approx(0.5033, abs=1e-3))] == [(r.seen_in, r.mark.x) for r in kept]


def test_two_spots_of_one_photo_do_not_confirm_each_other():
    assert recurring_marks([[mark(0.5, 0.5), mark(0.53, 0.5)], []]) == []


positions = st.floats(-1, 1)
sightings = st.lists(st.lists(st.builds(mark, positions, positions, st.floats(0, 1)), max_size=4), max_size=5)


@given(sightings, st.randoms(use_true_random=False))
def test_every_kept_mark_was_seen_often_enough_and_near_its_place(given_sightings, random):
    kept = recurring_marks(given_sightings)

    for recurring in kept:
        seen = [any(recurring.mark.distance_to(m) <= 2 * 0.09 for m in marks) for marks in given_sightings]
        assert 2 <= recurring.seen_in <= sum(seen)
        assert 0 <= recurring.mark.confidence <= 1
