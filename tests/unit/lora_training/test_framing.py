"""Where crops put the face."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lora_training.adapters.torch_trainer.crops import cut, jitters
from services.lora_training.domain.example import TrainingExample
from services.lora_training.domain.framing import (
    Framing,
    Jitter,
    centre_to_frame,
    face_to_frame,
    face_weights,
)
from services.lora_training.domain.recipe import Recipe

FRONTAL = np.array([[40, 50], [60, 50], [50, 62], [43, 71], [57, 71]], np.float32)
FRAMING = Framing(0.5, 0.45, 0.20, 0.21)


def mapped(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :2].T + matrix[:, 2]


@given(st.floats(0.3, 4.0), st.floats(-0.6, 0.6), st.floats(-200, 200), st.floats(-200, 200), st.booleans())
def test_a_face_of_any_size_place_and_roll_lands_upright_in_the_frame(
    scale: float, roll: float, x: float, y: float, is_mirrored: bool
) -> None:
    turn = scale * np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    points = (FRONTAL @ turn.T + [x, y]).astype(np.float32)
    matrix = face_to_frame(points, 256, FRAMING, Jitter(is_mirrored=is_mirrored))
    eyes = mapped(points, matrix)[:2]
    if is_mirrored:
        eyes[:, 0] = 255 - eyes[:, 0]
    np.testing.assert_allclose(eyes.mean(0), [128, 115.2], atol=0.05)
    np.testing.assert_allclose(eyes[1] - eyes[0], [51.2, 0], atol=0.05)


def test_a_turned_head_is_not_blown_up_as_much_as_its_eye_distance_shrinks() -> None:
    turned = FRONTAL.copy()
    turned[:, 0] = 50 + (turned[:, 0] - 50) * 0.7
    matrix = face_to_frame(turned, 256, FRAMING, Jitter())
    assert np.linalg.norm(matrix[:, 0]) < 256 * 0.20 / 20 / 0.7 * 0.9


def test_jitter_moves_and_scales_about_the_eyes() -> None:
    plain = mapped(FRONTAL, face_to_frame(FRONTAL, 100, FRAMING, Jitter()))
    moved = mapped(FRONTAL, face_to_frame(FRONTAL, 100, FRAMING, Jitter(1.1, 0.03, -0.02, 0.0)))
    np.testing.assert_allclose(moved[:2].mean(0) - plain[:2].mean(0), [3, -2], atol=1e-9)
    assert np.isclose(np.linalg.norm(moved[1] - moved[0]) / np.linalg.norm(plain[1] - plain[0]), 1.1)


def test_without_landmarks_the_centre_square_is_taken() -> None:
    matrix = centre_to_frame(300, 200, 100, Jitter())
    np.testing.assert_allclose(mapped(np.array([[149.5, 99.5]]), matrix), [[49.5, 49.5]])
    assert np.isclose(matrix[0, 0], 0.5)


def test_the_framing_of_a_model_folder_wins_over_the_default(tmp_path: Path) -> None:
    assert Framing.of_model(tmp_path) == Framing()
    values = dict(eye_midpoint_x=0.5, eye_midpoint_y=0.4, eye_distance=0.1, eyes_to_mouth=0.11)
    (tmp_path / "framing.json").write_text(json.dumps(values))
    assert Framing.of_model(tmp_path) == Framing(**values)


def test_face_weights_are_full_at_nose_and_eyes_and_zero_in_the_corners() -> None:
    matrix = face_to_frame(FRONTAL, 128, FRAMING, Jitter())
    weights = face_weights(FRONTAL, matrix, 128)
    for x, y in mapped(FRONTAL, matrix):
        assert weights[int(y), int(x)] == 1
    assert weights[0, 0] == weights[-1, -1] == weights[0, -1] == 0


def test_a_crop_that_leaves_the_photo_gives_its_outside_no_weight() -> None:
    image = np.full((80, 100, 3), 200, np.uint8)
    crop = cut(TrainingExample(image, "", FRONTAL), 64, Framing(0.5, 0.45, 0.1, 0.105), Jitter(), 0.5)
    assert crop.image.shape == (64, 64, 3) and crop.image.min() == 200
    assert crop.weights[0, 0] == 0 and crop.weights[-1, -1] == 0
    assert set(np.unique(crop.weights[28:30, 30:34])) == {np.float32(1.0)}
    assert np.isclose(crop.weights[36, 18], 0.5)


def test_shrinking_does_not_alias() -> None:
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = cut(TrainingExample(stripes, ""), 50, FRAMING, Jitter(), 1.0)
    assert crop.image[5:-5, 5:-5].std() < 6


def test_crops_differ_between_variants_and_repeat_with_the_seed() -> None:
    recipe = Recipe(variants_per_photo=6, seed=4)
    first = jitters(recipe, 1)
    assert first == jitters(recipe, 1) and first != jitters(recipe, 2)
    assert first[0] == Jitter() and [j.is_mirrored for j in first] == [False, True] * 3
    assert not any(j.is_mirrored for j in jitters(Recipe(flips=False), 0))


@pytest.mark.parametrize("field", ["scale", "shift_x", "shift_y", "degrees"])
def test_every_kind_of_jitter_occurs(field: str) -> None:
    values = {getattr(jitter, field) for jitter in jitters(Recipe(variants_per_photo=8), 0)}
    assert len(values) == 7
