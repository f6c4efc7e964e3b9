import numpy as np
import pytest

from starter.heads.subdivision import catmull_clark

CUBE_QUADS = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
CUBE = np.array([[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)])


def test_cube_gives_the_known_points() -> None:
    step = catmull_clark(CUBE_QUADS, 8)
    fine = step(CUBE)
    assert fine.shape == (8 + 12 + 6, 3)
    assert fine[:8] == pytest.approx(CUBE * 5 / 9, abs=1e-6)  # (F + 2R) / 3 with F = 1/3, R = 2/3
    edge_lengths = np.linalg.norm(fine[8:20], axis=1)
    assert edge_lengths == pytest.approx(np.full(12, np.hypot(0.75, 0.75)), abs=1e-6)
    assert sorted(np.linalg.norm(fine[20:], axis=1)) == pytest.approx([1.0] * 6, abs=1e-6)


def test_fine_quads_close_the_surface() -> None:
    step = catmull_clark(CUBE_QUADS, 8)
    pairs = np.stack([step.quads, np.roll(step.quads, -1, axis=1)], axis=-1).reshape(-1, 2)
    edges, uses = np.unique(np.sort(pairs, axis=1), axis=0, return_counts=True)
    assert set(uses) == {2}
    assert 26 - len(edges) + len(step.quads) == 2  # Euler


def test_border_stays_in_place() -> None:
    square = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    fine = catmull_clark(np.array([[0, 1, 2, 3]]), 4)(square)
    assert fine[:4] == pytest.approx(square)
    assert fine[-1] == pytest.approx([0.5, 0.5, 0])


def test_weights_sum_to_one_for_every_point() -> None:
    step = catmull_clark(CUBE_QUADS, 8)
    assert np.asarray(step.matrix.sum(axis=1)).ravel() == pytest.approx(np.ones(26), abs=1e-6)
