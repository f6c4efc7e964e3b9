"""The linear face model and what a morph makes of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.fusion.domain.face_model import expression_distance, face_modes, fit_face
from services.fusion.domain.fusing import FuseOptions, WarpMode
from services.fusion.domain.morph import facing_of, plan_morph
from services.fusion.domain.structure import DenseLandmarks, mean_face
from tests.support.drawn_head import draw_head, head_points, head_pose

strengths = st.lists(st.floats(-1.5, 1.5), min_size=6, max_size=6)
JAW = ("left_jaw", "right_jaw", "left_forehead", "right_forehead")


def dense(points):
    return DenseLandmarks(points.astype(np.float32), np.ones(len(points), np.float32))


def head(**how):
    return draw_head(**how)[1]


@given(strengths, strengths, st.floats(-25, 25), st.floats(-12, 12))
@settings(deadline=None, max_examples=30)
def test_one_picture_tells_how_the_head_looks_in_another(identity, expression, yaw, pitch):
    """Shape from one picture, expression and pose from the other: landmarks meet within 4 %."""
    own, other = head_pose(yaw_deg=yaw, pitch_deg=pitch), head_pose(yaw_deg=-yaw / 2)
    seen = fit_face(dense(own.project(head_points(identity))))
    wanted = other.project(head_points(identity, expression))
    fitted = fit_face(dense(wanted))

    guess = fitted.pose.project(seen.with_expression(fitted.expression))

    gaps = np.linalg.norm(guess - wanted, axis=1) / other.scale_px
    # The rim of the face lies far behind what the mean tells of its depth.
    inner = np.setdiff1d(np.arange(len(gaps)), mean_face().indices(*JAW, "chin", "forehead"))
    assert gaps[inner].mean() < 0.04


def test_face_that_is_the_mean_is_read_as_the_mean():
    fitted = fit_face(dense(head_pose(yaw_deg=14).project(mean_face().points)))

    assert np.abs(fitted.expression).max() < 0.02
    assert np.abs(fitted.shape - mean_face().points).max() < 0.01
    assert fitted.pose.yaw_deg == pytest.approx(14, abs=0.3)


def test_expression_distance_is_that_of_the_landmarks():
    ahead, smile = (fit_face(dense(head_pose().project(head_points((), e)))) for e in ((), (2.0,)))
    moved = 2.0 * face_modes().expression[0]
    there = mean_face().indices(
        "upper_lip", "lower_lip", "left_mouth", "right_mouth", "left_eye", "right_eye"
    )
    brows = mean_face().indices("left_brow", "right_brow")

    truth = np.sqrt((moved[np.concatenate([there, brows])] ** 2).sum(-1).mean())

    assert expression_distance(ahead, smile) == pytest.approx(truth, rel=0.15)
    assert expression_distance(ahead, ahead) == 0


def test_posed_morph_has_the_persons_proportions_and_the_candidates_pose_and_expression():
    candidate = head(pose=head_pose(yaw_deg=15, scale_px=44), expression=(1.5,))
    template = head(pose=head_pose(yaw_deg=-10), identity=(1.5, -1, 1))
    truth = head_pose(yaw_deg=15, scale_px=44).project(head_points((1.5, -1, 1), (1.5,)))
    inner = np.setdiff1d(np.arange(106), mean_face().indices(*JAW, "chin", "forehead"))

    def miss(warp):
        morph = plan_morph(candidate, template, FuseOptions(warp=warp))
        # Where the head as a whole sits is the candidate's affair.
        gaps = (morph.target - truth)[inner]
        return float(np.linalg.norm(gaps - gaps.mean(0), axis=1).mean() / 44)

    assert miss(WarpMode.POSED) < 0.03 < 0.05 < miss(WarpMode.LANDMARKS)


def test_outline_never_moves():
    candidate, template = head(), head(identity=(2, -2, 1, 1))

    morph = plan_morph(candidate, template, FuseOptions(warp=WarpMode.POSED))

    rim = mean_face().indices(*JAW, "chin", "forehead")
    rim = rim[[mean_face().names[i] not in ("chin_front",) for i in rim]]
    assert (morph.target[rim] == candidate.dense.points[rim]).all()
    assert not np.allclose(morph.target, candidate.dense.points)


@given(st.floats(0, 1))
@settings(deadline=None, max_examples=10)
def test_less_strength_bends_the_candidate_less(strength):
    candidate, template = head(), head(identity=(2, -2, 1, 1))

    def bend(s):
        morph = plan_morph(candidate, template, FuseOptions(strength=s, warp=WarpMode.POSED))
        return float(np.abs(morph.target - morph.candidate).mean())

    assert bend(strength) <= bend(1.0) + 1e-9
    assert bend(0.0) == 0


def test_misread_landmarks_bend_the_candidate_by_no_more_than_a_bound():
    candidate, template = head(), head()
    template.dense.points[[*mean_face().indices("nose_tip")]] += 90

    morph = plan_morph(candidate, template, FuseOptions(warp=WarpMode.POSED))

    assert np.linalg.norm(morph.target - morph.candidate, axis=1).max() <= 0.3001 * morph.unit_px * 1.1


def test_side_that_the_template_turns_away_is_not_trusted():
    turned = plan_morph(head(), head(pose=head_pose(yaw_deg=45)), FuseOptions())
    ahead = plan_morph(head(), head(), FuseOptions())
    names = mean_face().names

    assert turned.trust[names.index("right_cheekbone")] < 0.5 < ahead.trust[names.index("right_cheekbone")]
    assert turned.trust[names.index("left_cheekbone")] > 0.9


def test_brow_under_a_fringe_is_not_trusted():
    morph = plan_morph(head(), head(fringe=True), FuseOptions())

    assert morph.trust[mean_face().indices("left_brow", "right_brow")].max() == 0
    assert morph.trust[mean_face().indices("nose_tip")] == 1


def test_without_dense_landmarks_or_for_a_similarity_there_is_no_morph():
    bare = head(with_parts=False)
    assert plan_morph(head(), bare, FuseOptions(warp=WarpMode.SIMILARITY)) is None
    five_only = type(bare)(bare.box_px, bare.landmarks5)
    assert plan_morph(head(), five_only, FuseOptions()) is None


def test_normals_look_outwards():
    facing = facing_of(fit_face(dense(head_pose().project(mean_face().points))))
    left, right = (
        facing_of(fit_face(dense(head_pose(yaw_deg=yaw).project(mean_face().points)))) for yaw in (-30, 30)
    )
    cheek = mean_face().names.index("left_cheek")

    assert facing[mean_face().names.index("nose_base")] > 0.5
    assert right[cheek] > facing[cheek] > left[cheek]
