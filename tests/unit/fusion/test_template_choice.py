"""Which template is taken."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.fusion.domain.face import Face
from services.fusion.domain.template_choice import (
    choose_template,
    expression_similarity,
    fitted,
    frontality,
    pose_similarity,
)
from tests.support.drawn_head import draw_head, head_pose

POINTS = np.array([(40, 50), (84, 50), (62, 71), (45, 93), (79, 93)], np.float32)
degrees = st.floats(-60, 60)


def face(yaw=0.0, pitch=0.0, quality=1.0, judged=None, shift=0.0, **more):
    return Face(
        (0, 0, 1, 1),
        POINTS + np.float32(shift),
        quality=quality,
        yaw_deg=yaw,
        pitch_deg=pitch,
        judged_quality=judged,
        **more,
    )


def head(**how):
    return draw_head(**how)[1]


@given(degrees, degrees, degrees, degrees)
def test_pose_similarity_is_symmetric_and_one_for_equal_poses(yaw, pitch, other_yaw, other_pitch):
    one, other = face(yaw, pitch), face(other_yaw, other_pitch)

    assert pose_similarity(one, other) == pose_similarity(other, one)
    assert 0 < pose_similarity(one, other) <= 1 == pose_similarity(one, one)


def test_template_that_looks_the_same_way_wins():
    templates = [face(yaw=-25), face(yaw=20), face(yaw=0)]

    assert choose_template(face(yaw=24), templates).index == 1


def test_between_equal_poses_quality_decides_and_the_judged_one_counts_first():
    assert choose_template(face(), [face(quality=0.4), face(quality=0.9)]).index == 1
    assert choose_template(face(), [face(quality=0.9, judged=0.1), face(quality=0.4, judged=0.8)]).index == 1


def test_of_two_that_fit_the_pose_alike_the_more_frontal_one_wins():
    assert frontality(face(yaw=30)) < frontality(face(yaw=10)) < frontality(face()) == 1
    assert choose_template(face(yaw=20), [face(yaw=30), face(yaw=10)]).index == 1


@pytest.mark.parametrize("quality", [0.0, 0.5, 1.0])
def test_sharp_photo_turned_away_does_not_beat_a_softer_one_in_the_right_pose(quality):
    templates = [face(yaw=0, quality=quality), face(yaw=40, quality=1.0)]

    assert choose_template(face(yaw=0), templates).index == 0


def test_template_with_the_candidates_expression_wins_whoever_is_shown_and_however_turned():
    candidate = head(expression=(2,), identity=(1, -1), pose=head_pose(yaw_deg=8))
    templates = [head(pose=head_pose(yaw_deg=8)), head(expression=(2,), pose=head_pose(yaw_deg=2))]

    choice = choose_template(candidate, templates)

    assert choice.index == 1
    assert choice.expression_similarity > 0.9


@given(st.floats(-20, 20), st.lists(st.floats(-1.5, 1.5), min_size=6, max_size=6))
@settings(deadline=None, max_examples=20)
def test_expression_is_read_whatever_pose_and_person(yaw, identity):
    smile = fitted(head(expression=(2,)))
    same = fitted(head(expression=(2,), identity=identity, pose=head_pose(yaw_deg=yaw)))
    other = fitted(head(identity=identity, pose=head_pose(yaw_deg=yaw)))

    assert expression_similarity(smile, same) > 0.85 > expression_similarity(smile, other)


def test_face_without_dense_landmarks_counts_as_fitting_every_expression():
    choice = choose_template(face(), [face(), head()])

    assert choice.expression_similarity == 1.0


def test_eyes_behind_glasses_or_a_fringe_are_taken_last():
    bare, worn, covered = head(quality=0.3), head(glasses=True), head(fringe=True)

    assert choose_template(head(), [worn, bare, covered]).index == 1
    assert choose_template(head(glasses=True), [worn, head(pose=head_pose(yaw_deg=12))]).index == 0


def test_glasses_are_believed_by_attribute_where_no_map_tells():
    worn = face(attributes={"glasses": "round"})

    assert choose_template(face(), [worn, face(quality=0.2)]).index == 1


@given(
    st.lists(
        st.tuples(degrees, st.sampled_from([0.2, 0.7]), st.integers(0, 50)),
        min_size=1,
        max_size=6,
        unique=True,
    ),
    st.randoms(use_true_random=False),
)
def test_order_of_the_templates_has_no_say(kinds, random):
    templates = [face(yaw=yaw, quality=quality, shift=shift) for yaw, quality, shift in kinds]
    mixed = list(templates)
    random.shuffle(mixed)

    first, second = choose_template(face(), templates), choose_template(face(), mixed)

    assert first.score == second.score
    assert (templates[first.index].landmarks5 == mixed[second.index].landmarks5).all()


def test_score_is_a_share():
    choice = choose_template(head(pose=head_pose(yaw_deg=9)), [head(quality=0.6)])

    assert 0 < choice.score < choice.pose_similarity <= 1
