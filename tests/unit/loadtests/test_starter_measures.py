"""The arithmetic of adherence, disruption, diversity, Fréchet, PSNR, landmarks and the domain gap."""

from types import SimpleNamespace

import numpy as np
import pytest

from loadtests.starter.looks import MASK_PX, Look
from loadtests.starter.measures.adherence import Asked, adherence, differences, together
from loadtests.starter.measures.distances import (
    FeatureSpace,
    diversity,
    frechet,
    frechet_of_people,
    outside,
)
from loadtests.starter.measures.gap import Renders
from loadtests.starter.measures.reconstruction import error_sum, psnr, psnr_of_people
from loadtests.starter.measures.structure import card, landmark_errors


def look(points=(), **words) -> Look:
    return Look(1, None, words, (0.0,), None, tuple(points))


def test_adherence_asks_for_the_very_word_and_apart_whether_anything_is_worn():
    pictures = [
        Asked(1, {"glasses": "round", "hair_color": "red"}, look(glasses="square", hair_color="red")),
        Asked(1, {"glasses": "none"}, look(glasses="none")),
        Asked(2, {"glasses": "sunglasses", "background": "sky"}, look(glasses="sunglasses")),
        Asked(2, {"glasses": "none"}, look()),
    ]

    shares = adherence(pictures, {"glasses", "hair_color"})

    assert shares["glasses"] == {1: [0, 1], 2: [1, 0]}
    assert shares["worn: glasses"] == {1: [1, 1], 2: [1, 0]}
    assert shares["hair_color"] == {1: [1]}
    assert "background" not in shares
    assert together(shares) == {1: [0, 1, 1], 2: [1, 0]}


def test_differences_are_points_within_a_person():
    found = differences({1: [1, 0], 2: [1, 1], 3: [1]}, {1: [1, 1], 2: [0, 1, 1, 0], 4: [1]})

    assert found == {1: [-50], 2: [50]}


@pytest.fixture
def space():
    rng = np.random.default_rng(1)
    return FeatureSpace(rng.normal(size=(400, 6)) * [5, 4, 3, 2, 1, 1] + 10)


def test_renders_have_a_total_variance_of_one(space):
    rng = np.random.default_rng(1)
    renders = rng.normal(size=(400, 6)) * [5, 4, 3, 2, 1, 1] + 10

    assert space.project(renders).var(axis=0).sum() == pytest.approx(1)
    assert space.project(renders).mean(axis=0) == pytest.approx(np.zeros(6), abs=1e-9)


def test_similarity_is_one_for_the_same_and_minus_one_across_the_middle(space):
    middle = -np.linalg.lstsq(space._axes, space.project(np.zeros((1, 6)))[0], rcond=None)[0]
    step = np.array([1.0, 2, 0, 0, 0, 0])

    assert space.similarity(middle + step, middle + 3 * step) == pytest.approx(1)
    assert space.similarity(middle + step, middle - step) == pytest.approx(-1)


def test_diversity_is_the_mean_over_pairs(space):
    a, b = np.arange(6.0), np.arange(6.0)[::-1]

    assert diversity(space, [a, a, a]) == pytest.approx(0)
    assert diversity(space, [a, a, b]) == pytest.approx(2 / 3 * (1 - space.similarity(a, b)))
    assert diversity(space, [a]) is None


def test_frechet_distance_of_gaussians_is_the_known_one():
    rng = np.random.default_rng(0)
    cloud = rng.normal(size=(500, 3))
    cloud = (cloud - cloud.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(cloud.T, bias=True))).T

    assert frechet(cloud, cloud) == pytest.approx(0, abs=1e-9)
    # Means 2 apart in one direction: 4. Twice as wide in all three: 3 x (1 + 4 - 2 x 2) = 3.
    assert frechet(cloud, cloud + np.array([2, 0, 0])) == pytest.approx(4)
    assert frechet(cloud, 2 * cloud) == pytest.approx(3)


def test_the_interval_of_the_frechet_distance_holds_the_distance():
    rng = np.random.default_rng(0)
    clouds = {n: rng.normal(size=(20, 3)) + rng.normal(size=3) for n in range(6)}

    found = frechet_of_people(clouds, rng.normal(size=(200, 3)))

    assert found.low <= found.value <= found.high
    assert (found.people, found.count) == (6, 120)
    with pytest.raises(ValueError, match="two of them"):
        frechet_of_people({0: clouds[0]}, clouds[1])


def test_disruption_counts_only_what_is_outside_of_both_heads():
    one = np.zeros((MASK_PX, MASK_PX, 3), np.uint8)
    other = one.copy()
    left = np.zeros((MASK_PX, MASK_PX), bool)
    left[:, : MASK_PX // 2] = True
    other[left] = 255

    assert outside(one, other, (left, None)) == 0
    assert outside(one, other, (~left, None)) == 100
    assert outside(one, other, (None, None)) is None
    assert outside(one, other, (left, ~left)) is None
    other[~left] = 51
    assert outside(one, other, (left, left)) == pytest.approx(20)


def test_psnr_weighs_pixels_and_pools_people():
    before = np.zeros((3, 2, 2), np.uint8)
    after = before.copy()
    after[:, 0, 0] = 10
    everywhere, corner = np.ones((2, 2), np.float32), np.array([[1, 0], [0, 0]], np.float32)

    assert error_sum(before, after, everywhere) == (300, 12)
    assert psnr(*error_sum(before, after, corner)) == pytest.approx(20 * np.log10(255 / 10))
    assert psnr(*error_sum(before, after, everywhere)) == pytest.approx(10 * np.log10(255**2 / 25))
    assert psnr(0, 5) == 99
    found = psnr_of_people({1: [(300.0, 12.0)], 2: [(0.0, 12.0)]})
    assert found.value == pytest.approx(10 * np.log10(255**2 / 12.5))
    assert found.low == pytest.approx(10 * np.log10(255**2 / 25))
    assert found.low < found.value < found.high


def test_psnr_agrees_with_the_quick_look():
    import torch

    from starter.evaluate import psnr_db

    rng = np.random.default_rng(0)
    before, after = rng.integers(0, 256, (2, 1, 3, 4, 4), dtype=np.uint8)
    weights = rng.random((1, 1, 4, 4), np.float32)

    quick = psnr_db(torch.from_numpy(after), torch.from_numpy(before), torch.from_numpy(weights))

    assert psnr(*error_sum(before[0], after[0], weights[0, 0])) == pytest.approx(quick, abs=1e-3)


def test_landmark_errors_are_in_percent_of_the_eye_distance_and_of_visible_ones():
    truth = np.array([[0, 0], [10, 0], [5, 5]], np.float32)
    sample = SimpleNamespace(
        identity=7,
        landmarks=truth,
        landmarks_px={"left_eye": (0, 0), "right_eye": (50, 0)},
        visibility=np.array([0, 0, 1]),
    )
    near = look(points=[(3, 4), (10, 0), (99, 99)])

    assert landmark_errors([sample, sample], [near, look()]) == {7: [pytest.approx(5.0)]}


def test_a_card_that_is_not_there_is_none(tmp_path):
    (tmp_path / "parser").mkdir()
    (tmp_path / "parser" / "parser.json").write_text('{"held_out": {"iou": {"mean": 0.7}}}')

    assert card(tmp_path, "parser") == {"iou": {"mean": 0.7}}
    assert card(tmp_path, "structure") is None


def test_a_typical_render_has_a_gap_of_one_and_a_photograph_more():
    rng = np.random.default_rng(0)
    cloud = rng.normal(size=(5000, 4)) * [4, 2, 1, 1]
    renders = Renders(cloud)

    gaps = [renders.gap(one) for one in cloud[:2000]]
    assert np.mean([gap.against_renders for gap in gaps]) == pytest.approx(1, abs=0.05)
    assert np.mean([gap.deviations**2 for gap in gaps]) == pytest.approx(1, abs=0.05)
    assert np.mean([gap.mahalanobis**2 for gap in gaps]) == pytest.approx(1, abs=0.05)
    # The same distance is more deviations where renders hardly differ.
    wide, narrow = renders.gap([8, 0, 0, 0]), renders.gap([0, 0, 0, 8])
    assert wide.distance == pytest.approx(narrow.distance, rel=0.05)
    assert narrow.deviations > 3 * wide.deviations
    assert narrow.mahalanobis > 2 * wide.mahalanobis
