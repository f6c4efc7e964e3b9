"""Dense landmarks, marks and their visibility. Needs OpenGL."""

from dataclasses import replace

import numpy as np
import pytest

from starter.heads.head import build_head
from starter.heads.headwear import Headwear
from starter.heads.identity import Identity, Mark
from starter.heads.painting import FacePaint, paint
from starter.heads.parts import Part
from starter.heads.renderer import Picture, Renderer
from starter.heads.truth import LANDMARK_NAMES, Visibility, dense_landmarks, marks_of, sides_swapped
from starter.heads.view import Pose, View

MARKS = (Mark("mole", 0.4, 6.9, 0.02), Mark("scar", -0.4, 6.9, 0.1), Mark("mole", 0.0, 7.95, 0.02))


@pytest.fixture(scope="module")
def person(identity: Identity) -> Identity:
    return replace(identity, beard="none", skin=replace(identity.skin, marks=MARKS))


@pytest.fixture(scope="module")
def face_paint(person: Identity) -> FacePaint:
    return paint(person)


@pytest.fixture(scope="module")
def plain(view: View) -> View:
    bald = replace(view.hair, style="bald")
    return replace(view, pose=Pose(), glasses="none", hair=bald, hat=Headwear(), expression="neutral")


class Seen:
    """A view drawn, with its landmarks by name."""

    def __init__(self, renderer: Renderer, person: Identity, view: View, face_paint: FacePaint) -> None:
        head = build_head(person, view)
        self.picture: Picture = renderer.draw(person, view, head, face_paint)
        pixels, seen = dense_landmarks(person, head, self.picture)
        self.px = dict(zip(LANDMARK_NAMES, pixels, strict=True))
        self.visibility = dict(zip(LANDMARK_NAMES, map(Visibility, seen), strict=True))
        self.marks = marks_of(person, head, self.picture)

    def part(self, name: str) -> int:
        x, y = np.floor(self.px[name]).astype(int)
        return int(self.picture.parts[y, x])


@pytest.fixture(scope="module")
def frontal(renderer: Renderer, person: Identity, plain: View, face_paint: FacePaint) -> Seen:
    return Seen(renderer, person, plain, face_paint)


def test_names_are_unique_and_mirroring_twice_changes_nothing() -> None:
    assert len(set(LANDMARK_NAMES)) == len(LANDMARK_NAMES) == 106
    swapped = sides_swapped()
    assert (swapped[swapped] == np.arange(106)).all()
    assert LANDMARK_NAMES[swapped[LANDMARK_NAMES.index("left_pupil")]] == "right_pupil"


def test_a_frontal_face_shows_its_features_where_they_are(frontal: Seen) -> None:
    hidden = [name for name, value in frontal.visibility.items() if value != Visibility.VISIBLE]
    assert all("jaw" in name for name in hidden), hidden
    for side in ("left", "right"):
        assert frontal.part(f"{side}_pupil") in (Part.IRIS, Part.LASHES)
        assert frontal.part(f"{side}_cheek") == Part.SKIN
    px = frontal.px
    assert px["left_pupil"][0] < px["nose_tip"][0] < px["right_pupil"][0]
    assert (
        px["forehead"][1] < px["left_brow_upper_2"][1] < px["left_eye_upper_2"][1] < px["left_eye_lower_2"][1]
    )
    assert px["nose_tip"][1] < px["upper_lip_2"][1] < px["upper_lip_inner_2"][1]
    assert (
        px["upper_lip_inner_2"][1] < px["lower_lip_inner_2"][1] + 1 < px["lower_lip_2"][1] + 1 < px["chin"][1]
    )


def test_a_mirrored_outline_stays_an_outline(frontal: Seen) -> None:
    places = np.stack([frontal.px[name] for name in LANDMARK_NAMES])
    width = frontal.picture.parts.shape[1]
    mirrored = np.column_stack([width - places[:, 0], places[:, 1]])[sides_swapped()]
    # A face is nearly symmetric, so each landmark lands near its namesake once the middle is aligned.
    apart = mirrored - places
    assert np.abs(apart - np.median(apart, axis=0)).max() < 0.06 * width


def test_the_far_side_of_a_turned_head_is_hidden(
    renderer: Renderer, person: Identity, plain: View, face_paint: FacePaint
) -> None:
    turned = Seen(renderer, person, replace(plain, pose=Pose(yaw=40)), face_paint)
    assert turned.visibility["left_jaw_1"] == Visibility.VISIBLE
    assert turned.visibility["right_jaw_1"] == Visibility.BEHIND_HEAD


def test_glasses_and_hats_hide_what_is_under_them(
    renderer: Renderer, person: Identity, plain: View, face_paint: FacePaint
) -> None:
    dressed = replace(plain, glasses="sunglasses", hat=Headwear("beanie"))
    seen = Seen(renderer, person, dressed, face_paint)
    assert seen.visibility["left_pupil"] == seen.visibility["right_pupil"] == Visibility.BEHIND_GLASSES
    assert seen.visibility["forehead"] == Visibility.BEHIND_HEADWEAR
    assert seen.visibility["nose_tip"] == Visibility.VISIBLE
    assert [mark["visibility"] for mark in seen.marks][2] == Visibility.BEHIND_HEADWEAR


def test_marks_keep_their_number_and_place_over_the_views(
    renderer: Renderer, person: Identity, plain: View, face_paint: FacePaint, frontal: Seen
) -> None:
    turned = Seen(renderer, person, replace(plain, pose=Pose(yaw=-20), expression="smile"), face_paint)
    for before, after, mark in zip(frontal.marks, turned.marks, MARKS, strict=True):
        assert before["kind"] == after["kind"] == mark.kind
        assert before["at"] == after["at"] == pytest.approx([mark.x, mark.y, before["at"][2]], abs=0.02)
        assert before["px"] != after["px"]
    assert frontal.marks[0]["radius_px"] < frontal.marks[1]["radius_px"]
    assert [mark["visibility"] for mark in frontal.marks] == [0, 0, 0]


def test_a_mole_is_dark_where_it_is_said_to_be(frontal: Seen) -> None:
    x, y = (round(value) for value in frontal.marks[0]["px"])
    red = frontal.picture.rgb[..., 0].astype(float)
    assert red[y - 1 : y + 2, x - 1 : x + 2].min() < np.median(red[y - 4 : y + 5, x - 4 : x + 5]) - 6
