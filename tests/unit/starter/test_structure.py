"""The net of parts and landmarks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from starter.data.structure import HEAD_PX, PORTRAIT_PX, Cut, exact_batch, training_batch
from starter.heads.parts import Part
from starter.heads.truth import LANDMARK_NAMES, sides_swapped
from starter.models.blocks import measure_norms
from starter.models.structure import PartsOnly, StructureNet
from starter.train.parser import export as parser_export
from starter.train.structure import PARTS, export, heat_target, landmark_loss, part_loss, total_loss
from starter.train.structure_figures import confusion, overlaps, parser_figures, structure_figures
from tests.unit.starter.toy_faces import write_faces

WIDTHS = (8, 8, 8, 8)


def _net() -> StructureNet:
    torch.manual_seed(0)
    return StructureNet(len(PARTS), len(LANDMARK_NAMES), WIDTHS)


def test_batches_hold_parts_at_the_size_of_the_crop_and_places_in_it(tmp_path: Path) -> None:
    samples = write_faces(tmp_path)
    for whole, side in ((False, HEAD_PX), (True, PORTRAIT_PX)):
        batch = exact_batch(samples[:2], whole)
        assert batch.images.shape == (2, 3, side, side)
        assert batch.parts.shape == (2, side, side)
        assert set(batch.parts.unique().tolist()) >= {Part.SKIN, Part.IRIS, Part.LIPS}
        assert batch.places.shape == (2, len(LANDMARK_NAMES), 2)
        assert not batch.visible[0, -1]
        assert batch.visible[0, :-1].all()
    assert float(batch.eye_distance[0]) == pytest.approx(56 / 256, abs=1e-3)


def test_mirrored_crops_swap_the_sides_of_the_landmarks(tmp_path: Path) -> None:
    samples = write_faces(tmp_path)
    exact = exact_batch(samples[:1]).places[0].numpy()
    swapped = exact[sides_swapped()] * (-1, 1) + (1, 0)
    seen = set()
    for seed in range(6):
        places = training_batch(samples[:1], 1, "head", np.random.default_rng(seed)).places[0].numpy()
        errors = [np.abs(places - p - (places - p).mean(0)).mean() for p in (exact, swapped)]
        assert min(errors) < 0.3 * max(errors)
        seen.add(int(np.argmin(errors)))
    assert seen == {0, 1}


@pytest.mark.parametrize("kind", ["head", "window", "whole"])
def test_a_training_batch_depends_on_the_seed_alone(tmp_path: Path, kind: Cut) -> None:
    samples = write_faces(tmp_path)
    first, again = (training_batch(samples, 3, kind, np.random.default_rng(1)) for _ in range(2))
    assert first.images.shape[-1] == (PORTRAIT_PX if kind == "whole" else HEAD_PX)
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.parts, again.parts)


def test_windows_show_heads_at_the_size_of_whole_portraits(tmp_path: Path) -> None:
    samples = write_faces(tmp_path)
    batch = training_batch(samples[:1], 24, "window", np.random.default_rng(0))
    distance_px = batch.eye_distance * HEAD_PX
    assert float(distance_px.mean()) == pytest.approx(56, rel=0.08)
    spread = batch.places.mean(1).std(0) * HEAD_PX
    assert (spread > 15).all(), "windows are cut anywhere"


def test_soft_argmax_returns_the_place_of_the_target_heat() -> None:
    places = torch.tensor([[[0.31, 0.62], [0.5, 0.5]]])
    heat = heat_target(places, 40, 40)
    assert heat.sum((-1, -2)) == pytest.approx(torch.ones(1, 2))
    centres = (torch.arange(40) + 0.5) / 40
    x, y = (heat.sum(-2) * centres).sum(-1), (heat.sum(-1) * centres).sum(-1)
    assert torch.stack([x, y], -1) == pytest.approx(places, abs=2e-3)


def test_losses_are_smallest_for_the_right_answer(tmp_path: Path) -> None:
    batch = exact_batch(write_faces(tmp_path)[:1])
    right = torch.nn.functional.one_hot(batch.parts, len(PARTS)).permute(0, 3, 1, 2).float() * 20
    assert float(part_loss(right, batch.parts)) < 0.1 < float(part_loss(torch.zeros_like(right), batch.parts))
    heat = (heat_target(batch.places, 40, 40) + 1e-9).log()
    visible = torch.where(batch.visible, 9.0, -9.0)
    near = landmark_loss(batch.places, visible, heat, batch)
    assert near < landmark_loss(batch.places + 0.1, visible, heat, batch)
    assert near < landmark_loss(batch.places, -visible, heat, batch)
    assert near < landmark_loss(batch.places, visible, heat.roll(7, -1), batch)


def test_the_net_learns_a_face_and_says_so(tmp_path: Path) -> None:
    samples = write_faces(tmp_path)
    net, batch = _net(), exact_batch(samples[:2])
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    losses = []
    for _ in range(25):
        loss = total_loss(net, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.6 * losses[0]
    measure_norms(net, [batch.images])
    figures: dict[str, Any] = structure_figures(net, samples[-2:], PARTS)
    assert figures["iou"]["skin"] > 0.5
    assert 0 < figures["landmark_error_percent"] < 100
    assert set(parser_figures(PartsOnly(net), samples[-2:], PARTS)) == {"images", "iou"}


def test_the_pixels_of_a_cell_start_alike() -> None:
    with torch.no_grad():
        logits = _net().part_logits(torch.rand(1, WIDTHS[0], 4, 4))
    assert logits.shape == (1, len(PARTS), 8, 8)
    assert torch.equal(logits[..., ::2, ::2], logits[..., 1::2, 1::2])


def test_overlap_counts_both_kinds_of_mistakes() -> None:
    table = torch.tensor([[900, 100, 0], [100, 800, 0], [0, 0, 0]])
    assert overlaps(table, ("background", "skin", "hair")) == {"background": 0.818, "skin": 0.8, "mean": 0.8}


def test_confusion_counts_every_pixel_once(tmp_path: Path) -> None:
    samples = write_faces(tmp_path)[:2]
    table = confusion(
        lambda images: torch.zeros(len(images), 3, HEAD_PX, HEAD_PX), samples, False, len(PARTS)
    )
    assert int(table.sum()) == 2 * HEAD_PX**2
    assert int(table[:, 1:].sum()) == 0


def test_exported_nets_answer_like_the_trained_one(tmp_path: Path) -> None:
    import json

    import onnxruntime

    net, folder = _net().eval(), tmp_path
    export(net, {"images": 1}, folder)
    images = torch.rand(3, 3, HEAD_PX, HEAD_PX)
    session = onnxruntime.InferenceSession(folder / "structure.onnx")
    parts, landmarks, visible = session.run(None, {"image": images.numpy()})
    with torch.no_grad():
        expected = net(images)
    for ours, theirs in zip((parts, landmarks, visible), expected, strict=True):
        assert np.abs(ours - theirs.numpy()).max() < 0.02
    card = json.loads((folder / "structure.json").read_text())
    assert len(card["landmarks"]) == landmarks.shape[1]
    assert len(card["labels"]) == parts.shape[1]
    assert card["crop"]["size_px"] == HEAD_PX
    parser_export(PartsOnly(net), {"images": 1}, folder)
    parser = onnxruntime.InferenceSession(folder / "parser.onnx")
    assert [i.shape for i in parser.get_inputs()] == [[1, 3, PORTRAIT_PX, PORTRAIT_PX]]
    (logits,) = parser.run(["parts"], {"image": np.zeros((1, 3, PORTRAIT_PX, PORTRAIT_PX), np.float32)})
    assert logits.shape == (1, len(PARTS), PORTRAIT_PX, PORTRAIT_PX)
