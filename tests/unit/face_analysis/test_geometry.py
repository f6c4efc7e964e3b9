import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.face_analysis.domain.geometry import (
    ARCFACE_TEMPLATE_PX,
    NOSE_BEFORE_EYES,
    NOSE_BELOW_EYES,
    align_face,
    head_pose_deg,
    template_for,
    umeyama_similarity,
    warp_to_square,
)

angles = st.floats(-179, 179)


def turned(points, degrees, scale=1.0, shift=(0.0, 0.0)):
    radians = math.radians(degrees)
    rotation = np.array([[math.cos(radians), -math.sin(radians)], [math.sin(radians), math.cos(radians)]])
    return scale * points @ rotation.T + shift


def landmarks_of_pose(yaw_deg: float, pitch_deg: float, roll_deg: float) -> np.ndarray:
    """The model face under weak perspective; yaw to the viewer's right, pitch up, roll clockwise."""
    yaw, pitch = math.radians(yaw_deg), math.radians(pitch_deg)
    # Right, down and towards the viewer, in eye distances.
    model = np.array([[-0.5, 0, 0], [0.5, 0, 0], [0, NOSE_BELOW_EYES, NOSE_BEFORE_EYES]])
    about_vertical = np.array(
        [[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]]
    )
    about_ears = np.array(
        [[1, 0, 0], [0, math.cos(pitch), -math.sin(pitch)], [0, math.sin(pitch), math.cos(pitch)]]
    )
    # Pitch first: the head nods on a neck that has turned, so the eyes stay level.
    seen = (model @ about_ears.T @ about_vertical.T)[:, :2]
    points = turned(seen, roll_deg, 60.0, (200.0, 150.0))
    return np.concatenate([points, points[:2] + np.array([0, 50])]).astype(np.float32)


class TestUmeyama:
    @given(angles, st.floats(0.05, 20), st.floats(-500, 500), st.floats(-500, 500))
    def test_any_similarity_is_found_again(self, degrees, scale, x, y):
        target = turned(ARCFACE_TEMPLATE_PX, degrees, scale, (x, y))

        matrix = umeyama_similarity(ARCFACE_TEMPLATE_PX, target)

        mapped = ARCFACE_TEMPLATE_PX @ matrix[:, :2].T + matrix[:, 2]
        assert mapped == pytest.approx(target, abs=1e-6 * max(1, scale) * 1e3)

    def test_a_mirrored_face_is_not_mirrored_back(self):
        mirrored = ARCFACE_TEMPLATE_PX * [-1, 1]

        matrix = umeyama_similarity(mirrored, ARCFACE_TEMPLATE_PX)

        assert np.linalg.det(matrix[:, :2]) > 0

    def test_best_fit_beats_neighbours(self):
        rng = np.random.default_rng(0)
        noisy = ARCFACE_TEMPLATE_PX + rng.normal(0, 3, (5, 2))
        matrix = umeyama_similarity(noisy, ARCFACE_TEMPLATE_PX)

        def error(m):
            return float(((noisy @ m[:, :2].T + m[:, 2] - ARCFACE_TEMPLATE_PX) ** 2).sum())

        for change in ([[0, 0, 0.5], [0, 0, 0]], [[0.01, 0, 0], [0, 0.01, 0]], [[0, -0.01, 0], [0.01, 0, 0]]):
            assert error(matrix) < error(matrix + np.array(change))

    def test_points_that_coincide_are_refused(self):
        with pytest.raises(ValueError, match="coincide"):
            umeyama_similarity(np.ones((5, 2)), ARCFACE_TEMPLATE_PX)


class TestAlign:
    @pytest.mark.parametrize(("degrees", "scale"), [(0, 1.0), (30, 1.5), (-90, 0.8), (180, 4.0)])
    def test_marks_at_the_landmarks_arrive_at_the_template(self, degrees, scale):
        points = turned(ARCFACE_TEMPLATE_PX - 56, degrees, scale, (300, 280))
        picture = np.zeros((600, 600, 3), np.uint8)
        ys, xs = np.mgrid[0:600, 0:600]
        for channel, (x, y) in enumerate(points[[0, 1, 4]]):
            spot = np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / (2 * (3 * scale) ** 2))
            picture[..., channel] = (255 * spot).astype(np.uint8)

        aligned = align_face(picture, points.astype(np.float32))

        for channel, target in enumerate(ARCFACE_TEMPLATE_PX[[0, 1, 4]]):
            brightest = np.unravel_index(aligned[..., channel].argmax(), (112, 112))[::-1]
            assert brightest == pytest.approx(target, abs=1.5)

    def test_parts_outside_of_the_picture_are_black(self):
        picture = np.full((40, 40, 3), 200, np.uint8)

        aligned = align_face(picture, (ARCFACE_TEMPLATE_PX - 60).astype(np.float32))

        assert aligned.shape == (112, 112, 3)
        assert aligned[-1, -1].tolist() == [0, 0, 0]
        assert aligned.max() == 0 or aligned.min() == 0

    def test_a_face_wholly_outside_gives_a_black_square(self):
        picture = np.full((20, 20, 3), 200, np.uint8)

        assert align_face(picture, (ARCFACE_TEMPLATE_PX + 5000).astype(np.float32)).max() == 0

    def test_shrinking_averages_instead_of_skipping_pixels(self):
        stripes = np.zeros((800, 800, 3), np.uint8)
        stripes[::2] = 255

        small = warp_to_square(stripes, np.array([[0.125, 0, 0], [0, 0.125, 0.0]]), 100)

        assert np.abs(small[2:-2, 2:-2].astype(int) - 128).max() <= 1

    def test_template_scales_about_pixel_edges(self):
        assert template_for(224) + 0.5 == pytest.approx((ARCFACE_TEMPLATE_PX + 0.5) * 2)


class TestPose:
    @given(st.floats(-45, 45), st.floats(-25, 25), st.floats(-170, 170))
    def test_pose_of_the_model_face_is_found_again(self, yaw, pitch, roll):
        found = head_pose_deg(landmarks_of_pose(yaw, pitch, roll))

        # One point below the eyes cannot tell two pitches apart beyond the direction to the nose, so the
        # range above stays inside of that.
        assert found[0] == pytest.approx(found_yaw(yaw, pitch), abs=0.5)
        assert found[2] == pytest.approx(roll, abs=0.5)

    @given(st.floats(-25, 25), st.floats(-170, 170))
    def test_pitch_of_a_face_that_does_not_turn_is_found_again(self, pitch, roll):
        assert head_pose_deg(landmarks_of_pose(0, pitch, roll))[1] == pytest.approx(pitch, abs=0.5)

    def test_signs_follow_the_api(self):
        assert head_pose_deg(landmarks_of_pose(20, 0, 0))[0] > 10
        assert head_pose_deg(landmarks_of_pose(0, 20, 0))[1] > 10
        assert head_pose_deg(landmarks_of_pose(0, 0, 20))[2] > 10
        right = landmarks_of_pose(20, 0, 0)
        assert right[2, 0] > right[:2, 0].mean(), "a face turned to the viewer's right has its nose there"

    def test_eyes_that_coincide_give_no_pose(self):
        with pytest.raises(ValueError, match="coincide"):
            head_pose_deg(np.zeros((5, 2), np.float32))


def found_yaw(yaw_deg: float, pitch_deg: float) -> float:
    """What the closed form gives for a nod: the nose then lies less far in front of the eyes."""
    pitch = math.radians(pitch_deg)
    depth = NOSE_BEFORE_EYES * math.cos(pitch) + NOSE_BELOW_EYES * math.sin(pitch)
    return math.degrees(math.atan(math.tan(math.radians(yaw_deg)) * depth / NOSE_BEFORE_EYES))
