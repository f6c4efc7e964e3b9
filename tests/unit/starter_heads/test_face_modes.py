"""The linear model of landmarks that fusion reads faces by."""

import json
from pathlib import Path

import numpy as np

from starter.heads.face_modes import modes_of, points_of
from starter.heads.places import LANDMARK_NAMES

SHIPPED = Path(__file__).resolve().parents[3] / "services/fusion/domain/face_modes.json"


def test_modes_are_as_long_as_their_deviation_and_hold_what_they_say():
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.normal(size=(12, 3)))[0].T
    offsets = (rng.normal(size=(4000, 3)) * [3.0, 1.0, 0.1]) @ directions

    modes, held = modes_of(offsets.reshape(4000, 4, 3), 2)

    np.testing.assert_allclose(np.linalg.norm(modes.reshape(2, -1), axis=1), [3.0, 1.0], rtol=0.1)
    np.testing.assert_allclose(held, 10 / 10.01, atol=2e-3)


def test_smile_lifts_the_corners_of_the_mouth_and_leaves_the_outline():
    neutral, smile = points_of(1, 3, ("smile",))
    corner, chin = (LANDMARK_NAMES.index(name) for name in ("left_mouth_corner", "left_jaw_0"))

    assert smile[corner, 1] < neutral[corner, 1] - 0.03  # y points down
    assert np.abs(smile[chin] - neutral[chin]).max() < 0.02
    pupils = [LANDMARK_NAMES.index(f"{side}_pupil") for side in ("left", "right")]
    np.testing.assert_allclose(neutral[pupils, 0], [-0.5, 0.5], atol=0.01)


def test_shipped_modes_explain_a_character_that_they_were_not_made_of():
    shipped = json.loads(SHIPPED.read_text())
    expression = np.array(shipped["expression"]).reshape(len(shipped["expression"]), -1)
    neutral, smile = points_of(9, 777, ("smile",))
    moved = (smile - neutral).ravel()

    strengths, *_ = np.linalg.lstsq(expression.T, moved, rcond=None)

    assert np.linalg.norm(moved - strengths @ expression) < 0.15 * np.linalg.norm(moved)
