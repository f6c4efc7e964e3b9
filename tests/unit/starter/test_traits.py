"""Nets that read words: what they learn beside the words, and how they weigh rare ones."""

import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import onnxruntime
import pytest
import torch

from starter.data.labels import SCENE_LABELS
from starter.heads.parts import Part
from starter.heads.truth import sides_swapped
from starter.models.attributes import AttributeNet
from starter.train import attributes, scene
from starter.train.trait_batch import augment, moved_points, moves, photographed
from starter.train.trait_task import MARGIN, crops, part_maps, points_of, targets
from starter.train.traits import expect, known_words, log_shares, word_loss
from tests.unit.starter.toy_faces import EYES_PX, write_faces

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


def test_a_mirrored_face_keeps_left_and_right() -> None:
    """A crop mirrors the face: what was the left eye's corner is then seen as the right one's."""
    swapped = sides_swapped()
    points = torch.rand(8, len(swapped), 2) * 2 - 1
    theta = moves(8, np.random.default_rng(1), mirror=True)
    flipped = theta.copy()
    flipped[:, :, 0] *= -1
    plain = moved_points(points, np.where(np.linalg.det(theta[:, :, :2])[:, None, None] > 0, theta, flipped))
    mirror = moved_points(points, np.where(np.linalg.det(theta[:, :, :2])[:, None, None] < 0, theta, flipped))
    assert (np.linalg.det(theta[:, :, :2]) < 0).any()
    torch.testing.assert_close(mirror, plain[:, swapped] * torch.tensor([-1.0, 1.0]), atol=1e-5, rtol=0)


def test_a_share_of_the_crops_looks_like_photographs(tmp_path: Path) -> None:
    samples = write_faces(tmp_path) * 4
    images, parts = crops(attributes.TASK, samples), part_maps(attributes.TASK, samples)
    assert parts is not None
    seen, changed = photographed(images, parts, np.random.default_rng(0))
    assert torch.equal((seen != images).flatten(1).any(1), changed)
    assert 0.25 < float(changed.float().mean()) < 0.75
    torch.testing.assert_close(seen, photographed(images, parts, np.random.default_rng(0))[0])
    assert photographed(images, parts, np.random.default_rng(0), share=1.0)[1].all()
    assert part_maps(scene.TASK, samples) is None


def test_part_maps_and_landmarks_lie_on_the_head_crops(tmp_path: Path) -> None:
    sample = write_faces(tmp_path)[0]
    task = attributes.TASK
    assert task.points_of is not None
    for margin in (1.0, MARGIN):
        image, parts = crops(task, [sample], margin)[0], part_maps(task, [sample], margin)
        assert parts is not None
        skin = (image.float() - torch.tensor([220.0, 180, 150])[:, None, None]).abs().amax(0) < 30
        drawn = torch.from_numpy(parts[0] == int(Part.SKIN))
        assert float((skin & drawn).sum() / (skin | drawn).sum()) > 0.95
        eye = replace(sample, landmarks=np.asarray([EYES_PX[0]], np.float32))
        column, row = ((task.points_of(eye, margin)[0] + 1) / 2 * image.shape[-1]).round().astype(int)
        assert parts[0, row, column] == int(Part.IRIS)


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


def test_shades_are_not_learnt_off_crops_whose_colours_were_changed() -> None:
    names = list(attributes.TASK.labels)
    known = known_words(attributes.TASK, torch.tensor([False, True]))
    assert known[0].all()
    assert [name for i, name in enumerate(names) if not known[1, i]] == ["hair_color"]
    logits = [torch.zeros(2, len(words), requires_grad=True) for words in attributes.TASK.labels.values()]
    word_loss(logits, torch.zeros(2, len(names), dtype=torch.long), None, known).backward()
    for name, output in zip(names, logits, strict=True):
        assert output.grad is not None
        assert output.grad[0].any()
        assert bool(output.grad[1].any()) != (name in attributes.TASK.shades)


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


@pytest.mark.parametrize("net", [scene, attributes])
def test_points_are_learnt_with_and_not_packed(
    net: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(net, "RECIPE", replace(net.RECIPE, batch=2))
    write_faces(tmp_path / "data")
    net.train(tmp_path / "data", tmp_path / "runs", 1)
    folder = tmp_path / "runs" / net.TASK.name / "model"
    session = onnxruntime.InferenceSession(folder / f"{net.TASK.name}.onnx")
    assert [output.name for output in session.get_outputs()] == list(net.TASK.labels)
    card = json.loads((folder / f"{net.TASK.name}.json").read_text())
    assert card["input"]["shape"][-1] == card["crop"]["size_px"] == SIDE
    measured = {"images", "accuracy", "accuracy_of_words"}
    assert set(card["held_out"]) - {"accuracy_like_photographs"} == measured


def test_a_net_without_points_places_none() -> None:
    assert AttributeNet(SCENE_LABELS, size_px=SIDE).with_points(torch.rand(2, 3, SIDE, SIDE))[1] is None


def test_shades_are_read_by_a_trunk_of_their_own() -> None:
    """What makes glasses easy to see in any light would make colours hard to tell."""
    net = attributes.TASK.net()
    assert net.shade_trunk is not None
    logits = dict(zip(attributes.TASK.labels, net(torch.rand(2, 3, SIDE, SIDE)), strict=True))
    trunks = {"trunk": [*net.trunk.parameters()], "shade_trunk": [*net.shade_trunk.parameters()]}
    for name, output in logits.items():
        reached = {
            trunk: any(
                g is not None and g.any()
                for g in torch.autograd.grad(
                    output.square().sum(), weights, retain_graph=True, allow_unused=True
                )
            )
            for trunk, weights in trunks.items()
        }
        shade = name in attributes.TASK.shades
        assert reached == {"trunk": not shade, "shade_trunk": shade}, name
