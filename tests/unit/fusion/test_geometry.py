"""Alignment and outlines."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fusion.domain.geometry import (
    apply,
    estimated_yaw_deg,
    face_frame,
    face_outline,
    invert,
    rotation_deg_of,
    scale_of,
    similarity_transform,
)

FACE = np.array([(40, 50), (84, 50), (62, 71), (45, 93), (79, 93)], np.float32)

angles = st.floats(-180, 180)
scales = st.floats(0.1, 10)
shifts = st.floats(-500, 500)


@given(angles, scales, shifts, shifts)
def test_similarity_recovers_rotation_scale_and_shift(angle, scale, x, y):
    turn = np.deg2rad(angle)
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    target = (FACE @ linear.T + (x, y)).astype(np.float32)

    matrix = similarity_transform(FACE, target)

    np.testing.assert_allclose(target, apply(matrix, FACE), atol=2e-3 * max(1, scale))
    assert scale == pytest.approx(scale_of(matrix), rel=1e-3)
    assert pytest.approx((rotation_deg_of(matrix) - angle + 180) % 360 - 180, abs=0.05) == 0


@given(angles, scales, shifts)
def test_inverse_undoes_the_transform(angle, scale, shift):
    turn = np.deg2rad(angle)
    matrix = np.array(
        [
            [scale * np.cos(turn), -scale * np.sin(turn), shift],
            [scale * np.sin(turn), scale * np.cos(turn), 3],
        ]
    )

    back = apply(invert(matrix), apply(matrix, FACE))

    np.testing.assert_allclose(FACE, back, atol=0.05)


def test_similarity_is_no_reflection_even_where_one_would_fit_better():
    mirrored = FACE * (-1, 1)

    matrix = similarity_transform(FACE, mirrored.astype(np.float32))

    assert np.linalg.det(matrix[:, :2]) > 0


def test_points_that_coincide_have_no_similarity():
    with pytest.raises(ValueError, match="coincide"):
        similarity_transform(np.ones((5, 2), np.float32), FACE)


def test_outline_holds_all_landmarks_and_turns_with_the_face():
    outline = face_outline(FACE)
    turned = np.column_stack([-FACE[:, 1], FACE[:, 0]]).astype(np.float32)

    assert (outline.min(0) < FACE.min(0)).all() and (outline.max(0) > FACE.max(0)).all()
    expected = np.column_stack([-outline[:, 1], outline[:, 0]])
    np.testing.assert_allclose(expected, face_outline(turned), atol=0.05)


def test_outline_is_narrower_on_the_side_that_a_turned_head_hides():
    turned = FACE.copy()
    turned[2, 0] += 12  # the nose points to the viewer's right

    outline = face_outline(turned)
    left, right = FACE[0, 0] - outline[:, 0].min(), outline[:, 0].max() - FACE[1, 0]

    assert right < 0.7 * left


def test_yaw_estimate_has_the_sign_of_the_nose_and_is_zero_when_frontal():
    turned = FACE.copy()
    turned[2, 0] += 8

    assert pytest.approx(estimated_yaw_deg(FACE), abs=0.5) == 0
    assert 10 < estimated_yaw_deg(turned) < 40


def test_frame_unit_does_not_shrink_with_the_eyes_of_a_turned_head():
    squeezed = FACE.copy()
    squeezed[:, 0] = 62 + (squeezed[:, 0] - 62) * 0.6

    assert face_frame(squeezed).span_px > 0.8 * face_frame(FACE).span_px
