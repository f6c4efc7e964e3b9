"""Marks from photos in several poses onto a candidate: the whole use case."""

from dataclasses import replace

import numpy as np
import pytest

from services.fusion.adapters.fake import FakeMarks
from services.fusion.adapters.opencv_blend import to_lab
from services.fusion.adapters.opencv_marks import OpenCvMarks
from services.fusion.domain.face import Face
from services.fusion.domain.head_map import HeadMap
from services.fusion.domain.people import FacesOfPicture
from services.fusion.domain.placement import MarkSkip
from services.fusion.domain.structure import FoundMark
from services.fusion.engine.lazy_picture import LazyPicture
from services.fusion.engine.restore import restore_marks
from services.fusion.errors import FaceNotInPicture, NoFaceFound, SeveralFaces
from tests.support.drawn_face import box_of, draw_face
from tests.support.posed_head import draw_head

MOLE, FRECKLE, SCAR = (0.55, 0.6, 0.045, 0.55), (-0.4, 0.45, 0.03, 0.75), (-0.5, 0.9, 0.12, 1.15)


def lazy(name, image, *faces, position=None, loads=None):
    def load():
        if loads is not None:
            loads.append(name)
        return image

    size = (image.shape[1], image.shape[0])
    return LazyPicture(FacesOfPicture(name, faces), position, size, load)


def restored(candidate, *references, marks=None):
    marks = marks or OpenCvMarks()
    return restore_marks(marks, marks, candidate, references, min_face_px=20)


def photos(*heads):
    return [lazy(f"reference {k}", *head) for k, head in enumerate(heads, 1)]


def lightness(image, x, y):
    return float(to_lab(image)[int(y), int(x), 0])


@pytest.mark.parametrize("yaw", [-24, -8, 0, 15, 26])
def test_mole_of_turned_photos_lands_on_its_place_and_as_dark_as_it_is(yaw):
    references = photos(*(draw_head(yaw=y, marks=[MOLE], noise_seed=y + 30) for y in (-12, 3, 18)))
    image, face = draw_head(yaw=yaw, noise_seed=4, searched=False)

    done = restored(lazy("candidate", image, replace(face, marks=())), *references)

    (placed,) = done.marks
    truth, _ = draw_head(yaw=yaw, noise_seed=4, marks=[MOLE])
    (x, y), *_ = HeadMap.of(face.dense).project(np.array([MOLE[:2]]))
    assert np.hypot(placed.x_px - x, placed.y_px - y) < 0.02 * 52
    assert (placed.reason, placed.mark.seen_in, placed.mark.kind) == (None, 3, "mole")
    off = np.abs(to_lab(done.image) - to_lab(truth))[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2]
    assert off.mean((0, 1)).max() < 6


def test_mark_takes_the_light_of_the_candidate():
    references = photos(*(draw_head(yaw=y, marks=[MOLE]) for y in (-5, 5)))
    image, face = draw_head(skin=(95, 70, 60))

    (placed,) = (done := restored(lazy("candidate", image, face), *references)).marks

    at = placed.x_px, placed.y_px
    source = draw_head(marks=[MOLE])
    (x, y), *_ = HeadMap.of(source[1].dense).project(np.array([MOLE[:2]]))
    expected = lightness(source[0], x, y) / lightness(draw_head()[0], x, y)
    assert lightness(done.image, *at) / lightness(image, *at) == pytest.approx(expected, abs=0.08)


def test_light_scar_stays_light():
    heads = [draw_head(yaw=y, marks=[SCAR]) for y in (-5, 5)]
    as_scar = [(i, replace(f, marks=tuple(replace(m, kind="scar") for m in f.marks))) for i, f in heads]
    image, face = draw_head()

    done = restored(lazy("candidate", image, face), *photos(*as_scar))

    (placed,) = done.marks
    at = placed.x_px, placed.y_px
    assert placed.mark.kind == "scar" and placed.reason is None
    assert lightness(done.image, *at) > lightness(image, *at) + 3


def test_close_freckles_do_not_darken_one_another():
    near = (FRECKLE[0] + 0.075, *FRECKLE[1:])
    image, face = draw_head()
    alone = restored(
        lazy("candidate", image, face), *photos(*(draw_head(yaw=y, marks=[FRECKLE]) for y in (-4, 4)))
    )
    pair = restored(
        lazy("candidate", image, face), *photos(*(draw_head(yaw=y, marks=[FRECKLE, near]) for y in (-4, 4)))
    )

    at = alone.marks[0].x_px, alone.marks[0].y_px
    assert len(pair.marks) == 2
    assert lightness(pair.image, *at) == pytest.approx(lightness(alone.image, *at), abs=3)


def test_large_photo_lends_its_mark_at_the_candidates_size():
    big = [
        draw_head(scale=260, centre=(640, 550), size=1280, yaw=y, marks=[MOLE], noise_seed=1) for y in (-5, 5)
    ]
    image, face = draw_head()

    done = restored(lazy("candidate", image, face), *photos(*big))

    (placed,) = done.marks
    changed = np.argwhere((done.image != image).any(-1)) + 0.5
    assert np.abs(changed - (placed.y_px, placed.x_px)).max() < 6
    truth = draw_head(marks=[MOLE])[0]
    at = placed.x_px, placed.y_px
    assert lightness(done.image, *at) == pytest.approx(lightness(truth, *at), abs=5)


def test_dust_on_one_photo_is_not_restored_and_the_picture_stays_as_it_is():
    references = photos(draw_head(marks=[MOLE]), draw_head(yaw=5), draw_head(yaw=-5))
    image, face = draw_head()

    done = restored(lazy("candidate", image, face), *references)

    assert done.marks == []
    assert (done.image == image).all()


def test_mark_that_only_one_photo_can_show_is_restored():
    left = (-0.95, 0.5, 0.05, 0.5)
    references = photos(draw_head(yaw=25, marks=[left]), draw_head(yaw=-50), draw_head(yaw=-55))
    image, face = draw_head(yaw=20)

    (placed,) = restored(lazy("candidate", image, face), *references).marks

    assert (placed.mark.seen_in, placed.mark.shown_in, placed.reason) == (1, 1, None)


def test_each_mark_that_does_not_show_is_listed_with_its_reason():
    gone = (-0.95, 0.5, 0.05, 0.5)
    references = photos(*(draw_head(yaw=y, marks=[MOLE, gone, FRECKLE]) for y in (3, 9)))
    image, face = draw_head(yaw=-45, marks=[FRECKLE], hidden=(130, 130, 190, 170))

    done = restored(lazy("candidate", image, face), *references)

    found = [m.reason for m in sorted(done.marks, key=lambda m: m.mark.x)]
    assert found == [MarkSkip.TURNED_AWAY, MarkSkip.PRESENT, MarkSkip.COVERED]
    assert (done.image == image).all()


def test_marks_that_are_there_already_are_not_doubled():
    references = photos(*(draw_head(yaw=y, marks=[MOLE]) for y in (-5, 5)))
    for searched in (True, False):
        image, face = draw_head(yaw=2, marks=[MOLE], searched=searched)

        done = restored(lazy("candidate", image, face), *references)

        assert [m.reason for m in done.marks] == [MarkSkip.PRESENT]
        assert (done.image == image).all()


def test_photos_without_searched_marks_are_searched_here():
    references = photos(*(draw_head(yaw=y, marks=[MOLE], searched=False) for y in (-4, 4)))
    image, face = draw_head(yaw=6)

    (placed,) = restored(lazy("candidate", image, face), *references).marks

    assert (placed.mark.kind, placed.mark.seen_in, placed.reason) == ("spot", 2, None)


def test_only_the_photos_that_lend_their_looks_are_decoded():
    loads: list[str] = []
    heads = {
        "first": draw_head(yaw=2, marks=[MOLE]),
        "plain": draw_head(),
        "tiny": draw_head(yaw=4, marks=[MOLE], scale=20),
    }
    references = [lazy(name, *head, loads=loads) for name, head in heads.items()]
    image, face = draw_head()

    restored(lazy("candidate", image, face), *references)

    assert loads == ["first"]


def flat(name="candidate", spot=None, faces=1, **how):
    """A drawn face with its five landmarks alone; *spot* is what the fake finder takes for a mark."""
    image, landmarks = draw_face()
    if spot is not None:
        image[spot[1], spot[0]] = (255, 0, 0)
    face = Face(box_of(landmarks), landmarks, **how)
    return lazy(name, image, *[face] * faces)


def test_five_landmarks_are_enough_for_the_old_way():
    once = restored(flat(), flat(spot=(110, 150)), flat(), marks=FakeMarks())
    (alone,) = restored(flat(), flat(spot=(110, 150)), marks=FakeMarks()).marks
    (twice,) = restored(flat(), *[flat(spot=(110, 150))] * 2, flat(), marks=FakeMarks()).marks

    assert once.marks == []
    assert (alone.x_px, alone.y_px) == pytest.approx((110.5, 150.5), abs=0.1)
    assert (twice.mark.seen_in, twice.mark.shown_in) == (2, 3)


def test_flat_photo_that_is_turned_away_neither_confirms_nor_denies():
    turned = flat(spot=(110, 150), yaw_deg=50.0)

    (kept,) = restored(flat(), flat(spot=(110, 150)), turned, marks=FakeMarks()).marks

    assert (kept.mark.seen_in, kept.mark.shown_in) == (1, 1)


@pytest.mark.parametrize(("faces", "error"), [(0, NoFaceFound), (2, SeveralFaces)])
@pytest.mark.parametrize("role", ["candidate", "reference"])
def test_picture_without_exactly_one_face_is_an_error_that_names_it(role, faces, error):
    roles = {"candidate": flat(), "reference": flat("reference")} | {role: flat(role, faces=faces)}

    with pytest.raises(error) as caught:
        restored(*roles.values(), marks=FakeMarks())

    assert caught.value.metadata["image"] == role


def test_face_is_chosen_by_its_position():
    image, face = draw_head(centre=(70, 110), scale=26)
    other, right = draw_head(centre=(190, 110), scale=26)
    image[:, 128:] = other[:, 128:]
    references = photos(*(draw_head(yaw=y, marks=[MOLE]) for y in (-5, 5)))
    whole = replace(face, parts=None), replace(right, parts=None)

    (placed,) = restored(lazy("candidate", image, *whole, position=1), *references).marks

    assert placed.x_px > 128
    with pytest.raises(FaceNotInPicture):
        restored(lazy("candidate", image, *whole, position=2), *references)


def test_marks_in_hair_or_off_the_face_are_not_believed():
    heads = [draw_head(yaw=y, hidden=(100, 40, 156, 80)) for y in (-2, 2)]
    hair, wall = FoundMark("mole", 128.0, 60.0, 2.0, 0.9), FoundMark("mole", 8.0, 8.0, 2.0, 0.9)
    image, face = draw_head()

    done = restored(
        lazy("candidate", image, face), *photos(*((i, replace(f, marks=(hair, wall))) for i, f in heads))
    )

    assert done.marks == []
