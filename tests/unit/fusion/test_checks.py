"""Checks of a candidate for artefacts."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.fusion.domain.checks import Scale, defect_check, size_check, worst_first
from services.fusion.domain.face import Face
from services.fusion.domain.face_checks import face_checks
from services.fusion.domain.pose import fit_pose
from services.fusion.domain.shape_checks import MOUTH, asymmetry, mirror_images
from services.fusion.domain.structure import DenseLandmarks, PartMap, mean_face
from tests.support.mean_faces import built_face, dense_landmarks, head_pose, part_map

numbers = st.integers(-1000, 1000).map(lambda n: n / 100)


def scores(face):
    return {check.name: check.score for check in face_checks(face, min_face_px=48)}


def severe(face):
    return [check.name for check in worst_first(face_checks(face, min_face_px=48)) if check.is_severe]


@given(numbers, numbers, numbers, numbers)
def test_scale_falls_from_flawless_to_severe_and_stays_in_range(one, other, flawless, severe_at):
    assume(flawless != severe_at)
    scale = Scale(flawless, severe_at)
    nearer, further = sorted((one, other), key=lambda v: (v - flawless) * (severe_at - flawless))

    assert 0 <= scale.score(further) <= scale.score(nearer) <= 1
    assert (scale.score(flawless), scale.score(severe_at)) == (1, 0)


def test_what_is_not_a_number_is_severe():
    assert Scale(0, 1).score(math.nan) == 0


@given(st.integers(0, 2000), st.integers(0, 2000), st.integers(0, 500))
def test_a_larger_face_is_never_worse(one, other, least):
    small, large = sorted((one, other))

    assert size_check(small, least).score <= size_check(large, least).score <= 1


@pytest.mark.parametrize("yaw", [-30, -12, 0, 8, 25])
def test_the_mean_face_is_flawless_however_it_is_turned(yaw):
    found = scores(built_face(yaw_deg=yaw))

    assert {"face_size", "face_shape", "eye_symmetry", "mouth_symmetry", "parts"} == set(found)
    assert min(found.values()) == 1


@pytest.mark.parametrize(
    ("moved", "check"),
    [
        ({"left_eye_": (0.0, 0.16)}, "eye_symmetry"),
        (dict.fromkeys(MOUTH, (0.12, 0.0)), "mouth_symmetry"),
        ({"left_jaw": (-0.3, 0.2), "left_nose": (0.2, 0.2), "right_eye": (0.2, 0.3)}, "face_shape"),
    ],
)
def test_features_that_moved_are_severe(moved, check):
    assert check in severe(built_face(moved=moved))


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 0.3), st.floats(0, 0.3), st.floats(-25, 25))
def test_the_further_an_eye_moves_the_worse(one, other, yaw):
    less, more = sorted((one, other))
    found = [scores(built_face(yaw_deg=yaw, moved={"right_eye_": (0, y)})) for y in (less, more)]

    assert found[1]["eye_symmetry"] <= found[0]["eye_symmetry"] + 0.02


@pytest.mark.parametrize("part", ["sclera:left", "sclera:right", "lips"])
def test_a_missing_part_is_severe(part):
    assert severe(built_face(without=(part,))) == ["parts"]


def test_eyes_behind_glasses_are_not_missed():
    face = built_face(without=("sclera:left", "sclera:right"))
    eyes = mean_face().indices("left_eye_", "right_eye_")
    for x, y in face.dense.points[eyes]:
        face.parts.labels[int(y) - 12 : int(y) + 12, int(x) - 12 : int(x) + 12] = face.parts.names.index(
            "glasses"
        )

    assert severe(face) == []


@pytest.mark.parametrize(
    ("part", "where"), [("sclera", "chin_front"), ("lips", "forehead"), ("background", "nose_tip")]
)
def test_pieces_where_none_belong_are_severe(part, where):
    face = built_face()
    x, y = face.dense.points[mean_face().names.index(where)]
    face.parts.labels[int(y) - 16 : int(y) + 16, int(x) - 16 : int(x) + 16] = face.parts.names.index(part)

    assert severe(face) == ["parts"]


def test_parts_that_the_map_does_not_know_are_not_missed():
    face = built_face()
    labels = (face.parts.labels > 0).astype(np.uint8)
    coarse = built_face(parts=PartMap(labels, face.parts.box_px, ("background", "skin")))

    assert scores(coarse)["parts"] == 1


def test_what_hair_hides_is_not_judged():
    dense = dense_landmarks(moved={"left_eye_": (0.0, 0.16)})
    hidden = dense.visibility.copy()
    hidden[mean_face().indices("left_eye_", "right_eye_")] = 0.1
    face = built_face(dense=DenseLandmarks(dense.points, hidden))

    assert "eye_symmetry" not in scores(face)


def test_a_face_in_profile_is_not_judged_by_its_shape():
    assert set(scores(built_face(yaw_deg=60))) <= {"face_size", "parts"}


def test_a_face_without_structure_is_judged_by_what_there_is():
    bare = Face((0, 0, 100, 100), np.zeros((5, 2), np.float32), sharpness=0.9, defects={"blur": 0.1})

    assert {"face_size", "sharpness", "defect:blur"} == set(scores(bare))


def test_mirror_images_pair_left_with_right():
    names = mean_face().names

    sides = {"left": "right", "right": "left"}
    for own, other in enumerate(mirror_images()):
        assert mirror_images()[other] == own
        side, _, rest = names[own].partition("_")
        if side in sides:
            assert names[other] == f"{sides[side]}_{rest}"


def test_asymmetry_is_measured_in_pupil_distances():
    pose, indices = head_pose(20), mean_face().indices("left_eye_", "right_eye_")
    straight, raised = dense_landmarks(pose), dense_landmarks(pose, moved={"left_eye_": (0.0, 0.1)})

    def measured(dense):
        return asymmetry(pose.lift(dense.points.astype(float), mean_face().points), indices)

    assert measured(straight) < 0.02
    assert pytest.approx(measured(raised), abs=0.02) == 0.1


@pytest.mark.parametrize(("kind", "refuses"), [("distortion", True), ("exposure", True), ("blur", False)])
def test_which_defects_refuse(kind, refuses):
    assert defect_check(kind, 1.0).is_severe == refuses
    assert defect_check(kind, 0.0).score == 1


def test_part_map_and_landmarks_of_the_tests_fit_the_pose():
    dense = dense_landmarks(head_pose(15))

    assert pytest.approx(fit_pose(dense).yaw_deg, abs=0.5) == 15
    assert part_map(dense).labels.any()
