import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.face_analysis.adapters.dlib_landmarks import in_agreed_order

# dlib's order: the eye on the right (outer, inner), the eye on the left (outer, inner), base of the nose.
FRONTAL = np.array([[170, 110], [146, 110], [92, 110], [114, 110], [130.5, 150]], float)


def test_eyes_are_centres_of_their_corners_left_first():
    points = in_agreed_order(FRONTAL)

    assert points.dtype == np.float32
    assert points[0] == pytest.approx([103, 110]) and points[1] == pytest.approx([158, 110])


def test_frontal_face_is_symmetric_about_its_nose():
    _, _, tip, left_mouth, right_mouth = in_agreed_order(FRONTAL)

    assert tip[0] == pytest.approx(130.5, abs=0.01)
    assert (left_mouth[0] + right_mouth[0]) / 2 == pytest.approx(130.5, abs=0.01)
    assert tip[1] < 150 < left_mouth[1]


def test_nose_to_one_side_takes_tip_and_mouth_along():
    straight, turned = in_agreed_order(FRONTAL), in_agreed_order(FRONTAL + np.eye(5)[4][:, None] * [10, 0])

    assert turned[2, 0] - straight[2, 0] == pytest.approx(12.5, abs=0.1)
    assert turned[3, 0] > straight[3, 0] and turned[4, 0] > straight[4, 0]


@given(st.floats(-180, 180), st.floats(0.2, 10), st.floats(-300, 300))
def test_turning_scaling_and_moving_the_picture_does_the_same_to_the_points(degrees, scale, shift):
    radians = math.radians(degrees)
    rotation = scale * np.array(
        [[math.cos(radians), -math.sin(radians)], [math.sin(radians), math.cos(radians)]]
    )

    moved = in_agreed_order(FRONTAL @ rotation.T + shift)

    assert moved == pytest.approx(in_agreed_order(FRONTAL) @ rotation.T + shift, abs=0.01 * scale + 1e-3)
