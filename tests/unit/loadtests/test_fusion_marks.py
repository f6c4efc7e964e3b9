"""What counts as a mark that came back."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from likeness.common.v1 import face_pb2, image_pb2
from likeness.fusion.v1 import fusion_pb2 as pb

from loadtests.fusion import mark_truth
from loadtests.fusion.mark_pairs import MOST_YAW_DEG, Pair, _turned
from starter.data.manifest import parse_record
from starter.heads.dataset import identity_of, view_of

MOLE, OTHER, HIDDEN = (40.0, 60.0), (70.0, 60.0), (20.0, 20.0)
EYES = {"left_eye": [30, 40], "right_eye": [80, 40]}


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """A grey picture with two marks; the left fifth of it is hair. 50 px lie between the pupils."""
    bare = np.full((100, 100, 3), 180, np.uint8)
    truth = bare.copy()
    for x, y in (MOLE, OTHER):
        truth[int(y) - 2 : int(y) + 2, int(x) - 2 : int(x) + 2] = 90
    parts = np.ones((100, 100), np.uint8)
    parts[:, :20] = 11
    for name, picture in (("truth", truth), ("bare", bare), ("parts", parts)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), picture)
    marks = [
        {"kind": "mole", "px": px, "radius_px": 2.0, "visibility": hidden, "at": [0, 0, 0]}
        for px, hidden in ((MOLE, 0), (OTHER, 0), (HIDDEN, 2))
    ]
    record = {
        **{"identity": 1, "view": 60, "file": "truth.png", "parts": "parts.png", "parts_full": "parts.png"},
        **{"attributes": {}, "expression": "neutral", "yaw": 0.0, "background": "", "clothes": {}},
        **{"landmarks_px": EYES, "box_px": [0, 0, 99, 99], "embedding": [1.0], "marks": marks},
    }
    return Pair(parse_record(record, tmp_path), tmp_path / "bare.png", tmp_path / "bare.png")


def placed(*places):
    return [pb.RestoredMark(center=image_pb2.Point(x=x, y=y)) for x, y in places]


def test_perfect_restoration_is_in_place_and_of_the_right_colour(pair):
    outcomes = mark_truth.compare(pair, [2, 2, 2], placed(MOLE, OTHER), pair.truth_rgb)

    assert [(m.is_near, m.is_visible) for m in outcomes] == [(True, True), (True, True), (False, False)]
    assert outcomes[0].off == 0 and outcomes[0].colour_off == 0
    assert outcomes[0].colour_before > 20
    assert outcomes[2].off is None


@pytest.mark.parametrize(("shift", "is_near"), [(1.9, True), (2.1, False)])
def test_four_percent_of_the_distance_between_the_pupils_is_the_limit(pair, shift, is_near):
    first, *_ = mark_truth.compare(pair, [2, 2, 2], placed((MOLE[0] + shift, MOLE[1])), pair.bare_rgb)

    assert first.is_near is is_near
    assert first.off == pytest.approx(shift / 50)


def test_bare_skin_where_a_mark_belongs_is_as_far_off_as_it_was(pair):
    first, *_ = mark_truth.compare(pair, [2, 2, 2], placed(MOLE), pair.bare_rgb)

    assert first.colour_off == pytest.approx(first.colour_before)


def test_pasting_on_hair_and_inventing_marks_are_counted(pair):
    answer = placed(MOLE, (10.0, 60.0), (40.0, 90.0))

    assert mark_truth.on_cover(pair, answer) == 1
    assert mark_truth.strangers(pair, answer) == 2


def test_one_true_mark_explains_one_restored_mark(pair):
    assert mark_truth.strangers(pair, placed(MOLE, (MOLE[0] + 1, MOLE[1]))) == 1


def test_a_found_mark_that_is_hidden_or_elsewhere_is_wrong(pair):
    face = face_pb2.Face()
    for x, y in (MOLE, HIDDEN, (OTHER[0] + 2, OTHER[1])):
        face.marks.add(kind="mole", center=image_pb2.Point(x=x, y=y), radius_px=2, confidence=0.9)

    assert mark_truth.found_in(pair.sample, face) == (1, 3, 2)


def test_heads_are_turned_evenly_within_thirty_degrees():
    identity = identity_of(7, 200_000)
    views = [_turned(view_of(7, n, 60, identity), 7, n, 60) for n in range(200_000, 200_040)]

    yaws = np.array([view.pose.yaw for view in views])
    assert np.abs(yaws).max() <= MOST_YAW_DEG
    assert (np.abs(yaws) > 15).mean() > 0.3
