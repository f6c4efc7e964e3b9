"""Which template is taken."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fusion.domain.face import Face
from services.fusion.domain.fusing import Template, choose_template, pose_similarity

POINTS = np.array([(40, 50), (84, 50), (62, 71), (45, 93), (79, 93)], np.float32)
degrees = st.floats(-60, 60)


def face(yaw=0.0, pitch=0.0, quality=1.0):
    return Face((0, 0, 1, 1), POINTS, quality=quality, yaw_deg=yaw, pitch_deg=pitch)


def template(**pose):
    return Template("t", np.zeros((1, 1, 3), np.uint8), face(**pose))


@given(degrees, degrees, degrees, degrees)
def test_pose_similarity_is_symmetric_and_one_for_equal_poses(yaw, pitch, other_yaw, other_pitch):
    one, other = face(yaw, pitch), face(other_yaw, other_pitch)

    assert pose_similarity(one, other) == pose_similarity(other, one)
    assert 0 < pose_similarity(one, other) <= 1 == pose_similarity(one, one)


def test_template_that_looks_the_same_way_wins():
    templates = [template(yaw=-25), template(yaw=20), template(yaw=0)]

    assert choose_template(face(yaw=24), templates) == 1


def test_between_equal_poses_quality_decides_and_the_first_wins_a_tie():
    assert choose_template(face(), [template(quality=0.4), template(quality=0.9)]) == 1
    assert choose_template(face(), [template(), template()]) == 0


@pytest.mark.parametrize("quality", [0.0, 0.5, 1.0])
def test_sharp_photo_turned_away_does_not_beat_a_softer_one_in_the_right_pose(quality):
    assert (
        choose_template(face(yaw=0), [template(yaw=0, quality=quality), template(yaw=40, quality=1.0)]) == 0
    )
