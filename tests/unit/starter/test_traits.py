"""Nets that read words: what they learn beside the words, and how they weigh rare ones."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from starter.data.labels import SCENE_LABELS
from starter.models.attributes import AttributeNet
from starter.train import scene
from starter.train.traits import (
    MARGIN,
    augment,
    expect,
    log_shares,
    moved_points,
    moves,
    points_of,
    targets,
    word_loss,
)
from tests.unit.starter.toy_faces import write_faces

SIDE = 160


def test_points_move_as_the_crop_does() -> None:
    wide = torch.zeros(6, 3, int(SIDE * MARGIN), int(SIDE * MARGIN), dtype=torch.uint8)
    side = wide.shape[-1]
    wide[:, :, 60:66, 100:106] = 255  # a dot whose middle is at pixel (103, 63)
    dot = torch.tensor([[103.0, 63.0]]) / side * 2 - 1
    rng = np.random.default_rng(0)
    theta = moves(6, rng, mirror=False)
    crops = augment(wide, theta, SIDE, np.random.default_rng(2))
    for crop, place in zip(crops.mean(1), moved_points(dot.expand(6, 1, 2), theta)[:, 0], strict=True):
        rows, columns = torch.nonzero(crop > 0.6 * crop.max(), as_tuple=True)
        found = torch.stack([columns.float().mean() + 0.5, rows.float().mean() + 0.5]) / SIDE * 2 - 1
        assert float((found - place).abs().max()) < 2 / SIDE


def test_landmarks_lie_where_the_scene_net_sees_them(tmp_path: Path) -> None:
    sample = write_faces(tmp_path)[0]
    exact = scene.TASK.points_of
    assert exact is not None
    np.testing.assert_allclose((exact(sample, 1.0) + 1) * 128, sample.landmarks, atol=1e-3)
    inner = exact(sample, MARGIN)
    assert np.abs(inner).max() < np.abs(exact(sample, 1.0)).max(), "a wider crop brings them to its middle"


def test_without_landmarks_words_alone_are_learnt(tmp_path: Path) -> None:
    samples = write_faces(tmp_path)
    known = points_of(scene.TASK, samples)
    assert known is not None
    assert known.shape == (len(samples), len(samples[0].landmarks), 2)
    assert (
        points_of(scene.TASK, [*samples, replace(samples[0], landmarks=np.zeros((0, 2), np.float32))]) is None
    )


def test_a_word_that_no_sample_shows_is_not_made_likelier(tmp_path: Path) -> None:
    truth = targets(scene.TASK, write_faces(tmp_path))
    truth[:, 0] = torch.tensor([0] * (len(truth) - 1) + [4])
    shares = log_shares(truth, scene.TASK)[0]
    assert float(shares[4]) == pytest.approx(np.log(1 / len(truth)), abs=1e-5)
    assert float(shares[0]) == pytest.approx(np.log(1 - 1 / len(truth)), abs=1e-5)
    unseen = [i for i in range(len(SCENE_LABELS["expression"])) if i not in (0, 4)]
    assert shares[unseen].abs().max() == 0


def test_balanced_words_are_told_apart_whatever_their_share() -> None:
    """Where nothing speaks for either word, neither is favoured; without balance the usual one is."""
    truth = torch.tensor([[0]] * 9 + [[1]])
    shares = [torch.tensor([0.9, 0.1]).log()]
    leaning = []
    for given in (None, shares):
        bias = torch.zeros(1, 2, requires_grad=True)
        optimizer = torch.optim.SGD([bias], lr=2.0)
        for _ in range(300):
            optimizer.zero_grad()
            word_loss([bias.expand(10, 2)], truth, given).backward()
            optimizer.step()
        leaning.append(float((bias[0, 0] - bias[0, 1]).detach()))
    plain, balanced = leaning
    assert plain > 1.5
    assert abs(balanced) < 0.4


def test_half_even_words_expect_half_of_what_was_frequent(tmp_path: Path) -> None:
    shares = log_shares(targets(scene.TASK, write_faces(tmp_path)), scene.TASK)
    net = AttributeNet(SCENE_LABELS, size_px=SIDE).eval()
    images = torch.rand(1, 3, SIDE, SIDE)
    with torch.no_grad():
        before = net(images)
        expect(net, shares, 0.5)
        after = net(images)
    for old, new, share in zip(before, after, shares, strict=True):
        torch.testing.assert_close(new[0] - old[0], 0.5 * share, atol=1e-5, rtol=0)


def test_points_are_learnt_with_and_not_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene, "RECIPE", replace(scene.RECIPE, batch=2))
    write_faces(tmp_path / "data")
    scene.train(tmp_path / "data", tmp_path / "runs", 1)
    folder = tmp_path / "runs" / "scene" / "model"
    session = onnxruntime.InferenceSession(folder / "scene.onnx")
    assert [output.name for output in session.get_outputs()] == list(SCENE_LABELS)
    card = json.loads((folder / "scene.json").read_text())
    assert set(card["held_out"]) == {"images", "accuracy", "accuracy_of_words"}
    assert AttributeNet(SCENE_LABELS, size_px=SIDE).with_points(torch.rand(2, 3, SIDE, SIDE))[1] is None
