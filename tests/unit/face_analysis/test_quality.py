import dataclasses

import numpy as np
import pytest

from services.face_analysis.domain.faces import DetectedFace
from services.face_analysis.domain.geometry import ARCFACE_TEMPLATE_PX
from services.face_analysis.domain.quality import exposure, measure, overall, sharpness
from tests.support import faces


def textured(side: int = 224) -> np.ndarray:
    """A picture with detail at every scale down to 2 px."""
    rng = np.random.default_rng(1)
    picture = np.kron(rng.integers(60, 200, (side // 2, side // 2, 3)), np.ones((2, 2, 1)))
    return picture.astype(np.uint8)


def face_at(scale: float = 2.0) -> DetectedFace:
    side = 112 * scale
    return DetectedFace((0, 0, side, side * 0.9), (ARCFACE_TEMPLATE_PX * scale).astype(np.float32), 0.9, 0.8)


class TestSharpness:
    def test_blur_lowers_it_step_by_step(self):
        values = [
            measure(faces.blurred(textured(), sigma) if sigma else textured(), face_at()).sharpness
            for sigma in (0, 1, 2, 4, 8)
        ]

        assert values == sorted(values, reverse=True)
        assert 0 <= values[-1] < 0.1 < 0.5 < values[0] < 1

    def test_flat_face_has_none(self):
        assert sharpness(np.full((50, 50), 90, np.float32)) == 0

    def test_definition(self):
        grey = np.zeros((5, 5), np.float32)
        grey[2, 2] = 10
        laplacian = np.array([[0, 10, 0], [10, -40, 10], [0, 10, 0]])

        assert sharpness(grey) == pytest.approx(laplacian.var() / (laplacian.var() + 100))

    def test_an_enlarged_picture_is_no_sharper_than_the_small_one(self):
        small = measure(faces.resized(textured(), 56), face_at(0.5)).sharpness
        enlarged = measure(faces.resized(faces.resized(textured(), 56), 224), face_at(2.0)).sharpness

        assert enlarged < small + 0.1
        assert enlarged < measure(textured(), face_at(2.0)).sharpness


class TestExposure:
    @pytest.mark.parametrize("level", [40, 128, 225])
    def test_any_usual_brightness_is_right(self, level):
        assert exposure(np.full((10, 10), level, np.float32)) == pytest.approx(1.0)

    @pytest.mark.parametrize("level", [0, 5, 250, 255])
    def test_black_and_white_faces_have_none(self, level):
        assert exposure(np.full((10, 10), level, np.float32)) == 0

    def test_clipped_share_counts(self):
        grey = np.full((10, 10), 128, np.float32)
        grey[:3] = 255

        assert exposure(grey) == pytest.approx(0.7)

    def test_dark_face_is_lowered_in_proportion(self):
        assert exposure(np.full((4, 4), 0.15 * 255 / 2, np.float32)) == pytest.approx(0.5)


class TestOverall:
    def test_is_one_for_a_perfect_face_and_falls_with_each_measure(self):
        perfect = {"sharpness": 1.0, "exposure": 1.0, "size_px": 300.0, "yaw_deg": 0.0, "confidence": 1.0}
        assert overall(**perfect) == pytest.approx(1)

        worse = {"sharpness": 0.5, "exposure": 0.5, "size_px": 56.0, "yaw_deg": -60.0, "confidence": 0.5}
        for name, value in worse.items():
            assert overall(**{**perfect, name: value}) == pytest.approx(0.5 ** (1 / 5)), name

    def test_one_measure_of_zero_spoils_it(self):
        assert overall(0.0, 1.0, 200.0, 0.0, 1.0) == 0


def test_measures_carry_size_pose_and_confidence():
    quality = measure(textured(), face_at())

    assert quality.size_px == 224
    assert quality.landmark_confidence == 0.8
    assert abs(quality.yaw_deg) < 5 and abs(quality.roll_deg) < 2
    assert all(np.isfinite(value) for value in dataclasses.astuple(quality))
