"""The rule that a mark must recur, and the classical finder."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fusion.adapters.opencv_marks import OpenCvMarks
from services.fusion.domain.face import Face
from services.fusion.domain.geometry import apply, face_frame
from services.fusion.domain.marks import Sighting, recurring_marks
from tests.support.drawn_face import box_of, draw_face

# On the cheek, in the units of the drawn face; in face units (eye distance 44): (28 / 44, 15 / 44 + 10 / 44).
MOLE = (28.0, 10.0, 2.4)
MOLE_IN_FACE_UNITS = (28 / 44, 25 / 44)


@dataclass(frozen=True)
class Photo:
    """A photo that shows every place but those left of *from_x*."""

    sightings: tuple[Sighting, ...] = ()
    tolerance: float = 0.05
    from_x: float = field(default=-9.0)

    def shows(self, places, radii):
        return places[:, 0] >= self.from_x


def seen(x, y, confidence=0.8, kind="mole", facing=1.0):
    return Sighting(kind, x, y, 0.04, confidence, facing)


def photos(*sightings):
    return [Photo(tuple(found)) for found in sightings]


def faced(**how):
    image, landmarks = draw_face(noise_seed=how.pop("noise_seed", 1), **how)
    return image, Face(box_of(landmarks), landmarks)


@pytest.mark.parametrize("angle", [-20, 0, 15])
@pytest.mark.parametrize("scale", [1.0, 1.4])
def test_mole_is_found_at_its_place_whatever_size_and_turn(angle, scale):
    image, face = faced(moles=[MOLE], angle_deg=angle, scale=scale)

    found = OpenCvMarks().find(image, face)

    expected = apply(face_frame(face.landmarks5).to_px, np.array([MOLE_IN_FACE_UNITS]))[0]
    assert (found[0].x_px, found[0].y_px) == pytest.approx(expected + 0.5, abs=0.03 * 44 * scale)
    assert found[0].radius_px == pytest.approx(2.4 * scale, rel=0.4)
    assert found[0].kind == "spot"


@pytest.mark.parametrize("seed", range(4))
def test_clean_face_has_no_marks(seed):
    assert OpenCvMarks().find(*faced(noise_seed=seed, angle_deg=5.0 * seed)) == []


def test_dust_of_one_photo_is_no_mark():
    mole, dust = seen(0.5, 0.5), seen(-0.4, 0.7, confidence=1.0)

    kept = recurring_marks(photos([mole, dust], [seen(0.52, 0.49)], [seen(0.49, 0.51)]))

    assert [(3, 3, pytest.approx(0.5033, abs=1e-3))] == [(r.seen_in, r.shown_in, r.x) for r in kept]


def test_the_word_of_the_only_photo_that_shows_the_place_is_enough():
    turned = Photo((seen(-0.6, 0.3),))
    others = [Photo((), from_x=0.0), Photo((), from_x=0.0)]

    (kept,) = recurring_marks([turned, *others])

    assert (kept.seen_in, kept.shown_in) == (1, 1)
    assert recurring_marks([turned, others[0], Photo()]) == []


def test_confidence_falls_with_every_photo_that_shows_the_place_without_the_mark():
    twice = [[seen(0.5, 0.5)], [seen(0.5, 0.5)]]

    certain = recurring_marks(photos(*twice))[0].confidence
    doubted = recurring_marks(photos(*twice, [], []))[0].confidence

    assert certain == pytest.approx(1 - 0.2**2)
    assert doubted == pytest.approx(certain / 2)


def test_of_very_many_photos_a_quarter_must_agree():
    twice = [[seen(0.5, 0.5)], [seen(0.5, 0.5)]]

    assert len(recurring_marks(photos(*twice, *[[]] * 6))) == 1
    assert recurring_marks(photos(*twice, *[[]] * 7)) == []


def test_two_spots_of_one_photo_do_not_confirm_each_other():
    assert recurring_marks(photos([seen(0.5, 0.5), seen(0.53, 0.5)], [])) == []


def test_neighbouring_freckles_stay_apart():
    row = [seen(0.1 * k, 0.5, kind="freckle") for k in range(5)]
    moved = [seen(0.1 * k + 0.02, 0.49, kind="freckle") for k in range(5)]

    kept = recurring_marks(photos(row, moved))

    assert [r.seen_in for r in kept] == [2] * 5
    assert sorted(r.x for r in kept) == pytest.approx([0.1 * k + 0.01 for k in range(5)], abs=1e-6)


def test_sightings_from_the_front_and_the_surer_kind_count_most():
    frontal, grazing = seen(0.50, 0.5, 0.9, "mole", 1.0), seen(0.54, 0.5, 0.4, "freckle", 0.3)

    (kept,) = recurring_marks(photos([frontal], [grazing]))

    assert kept.kind == "mole"
    assert kept.x == pytest.approx(0.5, abs=0.004)


positions = st.floats(-1, 1)
sightings = st.lists(
    st.lists(st.builds(seen, positions, positions, st.floats(0, 1)), max_size=4), min_size=1, max_size=5
)


@given(sightings)
def test_every_kept_mark_was_seen_often_enough_and_near_its_place(given_sightings):
    kept = recurring_marks(photos(*given_sightings))

    for mark in kept:
        assert min(2, len(given_sightings)) <= mark.seen_in <= mark.shown_in <= len(given_sightings)
        assert 0 <= mark.confidence <= 1
        for sighting in mark.sightings.values():
            assert np.hypot(sighting.x - mark.x, sighting.y - mark.y) <= 2 * 0.05


@given(sightings, st.randoms(use_true_random=False))
def test_the_order_of_a_photos_sightings_does_not_matter(given_sightings, random):
    shuffled = [random.sample(found, len(found)) for found in given_sightings]

    assert recurring_marks(photos(*given_sightings)) == recurring_marks(photos(*shuffled))


def test_the_surer_of_two_sightings_that_weigh_the_same_at_one_place_counts():
    unsure, surer = seen(0.0, 0.0, 0.0), seen(0.0, 0.0, 0.03)
    assert unsure.weight == surer.weight
    for found in ([unsure, surer], [surer, unsure]):
        assert recurring_marks(photos(found, [unsure]))[0].sightings[0] == surer


@given(st.lists(st.tuples(positions, positions), min_size=1, max_size=1), st.integers(2, 5))
def test_a_mark_seen_once_among_photos_that_show_its_place_is_dropped(place, count):
    found = [[seen(*place[0])], *[[]] * (count - 1)]

    assert recurring_marks(photos(*found)) == []
