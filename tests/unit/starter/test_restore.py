"""Enhancer and upscaler."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from starter.data.reconstructions import Reconstructions
from starter.data.restoration import PIECE_PX, enhancing_pairs, enlarging_pairs
from starter.models.restore import MULTIPLE, Clipped, RestoreNet
from starter.train import upscaler
from starter.train.enhancer import CLEAN_ENOUGH, export, usable
from starter.train.restore_figures import psnr_db, restored
from tests.unit.starter.toy_faces import draw_face, write_faces

TINY = {"widths": (8, 8), "blocks": (1, 1)}


def _made() -> Reconstructions:
    image = torch.from_numpy(draw_face()[0]).permute(2, 0, 1)
    spoiled = torch.tensor([0.0, CLEAN_ENOUGH + 0.1])
    return Reconstructions(torch.tensor([0, 1]), torch.stack([image // 2, image]), spoiled)


@pytest.mark.parametrize("scale", [1, 2])
def test_an_untrained_net_resamples(scale: int) -> None:
    image = torch.rand(2, 3, 24, 40)
    with torch.no_grad():
        out = RestoreNet(scale, **TINY)(image)
    assert out.shape == (2, 3, 24 * scale, 40 * scale)
    plain = (
        torch.nn.functional.interpolate(image, scale_factor=float(scale), mode="bilinear")
        if scale > 1
        else image
    )
    assert torch.equal(out, plain)


def test_pairs_show_the_same_piece(tmp_path: Path) -> None:
    samples = write_faces(tmp_path)
    small = enlarging_pairs(samples, 4, np.random.default_rng(0))
    assert small.spoiled.shape == (4, 3, PIECE_PX // 2, PIECE_PX // 2)
    halves = torch.nn.functional.avg_pool2d(small.clean, 2)
    assert (halves - small.spoiled).abs().mean() < 0.05
    same = enhancing_pairs(samples, _made(), 8, np.random.default_rng(0))
    assert same.spoiled.shape == same.clean.shape == (8, 3, PIECE_PX, PIECE_PX)
    assert same.weights.shape == (8, 1, PIECE_PX, PIECE_PX)
    brightness = same.spoiled.mean((1, 2, 3)) / same.clean.mean((1, 2, 3))
    assert ((brightness - 1).abs() < 0.05).any()  # from the camera
    assert ((brightness - 0.5).abs() < 0.05).any()  # from the "reconstruction" of half the brightness


def test_only_clean_reconstructions_are_restored() -> None:
    assert usable(_made()).positions.tolist() == [0]


def test_the_net_learns_to_undo_a_change() -> None:
    torch.manual_seed(0)
    face = torch.from_numpy(draw_face()[0]).permute(2, 0, 1)[None].float() / 255
    dark, net = 0.8 * face, RestoreNet(1, **TINY)
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)
    losses = []
    for _ in range(30):
        loss = (net(dark) - face).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]


def test_psnr_of_a_known_error() -> None:
    black = np.zeros((4, 4, 3), np.uint8)
    assert psnr_db([black], [black + 255]) == pytest.approx(0)
    assert psnr_db([black], [black + 51]) == pytest.approx(13.98, abs=0.01)


def test_the_shipped_net_takes_any_size_and_answers_like_the_trained_one(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = RestoreNet(2, **TINY)
    torch.nn.init.normal_(net.last.weight, std=0.05)
    export(net, "upscaler", {}, tmp_path)
    session = onnxruntime.InferenceSession(tmp_path / "upscaler.onnx")
    for height, width in ((MULTIPLE, 5 * MULTIPLE), (64, 48)):
        image = torch.rand(1, 3, height, width)
        (ours,) = session.run(["restored"], {"image": image.numpy()})
        with torch.no_grad():
            theirs = Clipped(net)(image).numpy()
        assert ours.shape == (1, 3, 2 * height, 2 * width)
        assert np.abs(ours - theirs).max() < 5e-3
        assert ours.min() >= 0
        assert ours.max() <= 1


def test_upscaler_figures_compare_with_lanczos(tmp_path: Path) -> None:
    samples = write_faces(tmp_path)
    figures = upscaler.measure(RestoreNet(2, **TINY), samples[-2:])
    assert figures["from_px"] == 128
    assert 15 < figures["psnr"] < 60
    assert figures["psnr_lanczos"] > 20


def test_restored_pictures_keep_their_order() -> None:
    images = [np.full((16, 16, 3), value, np.uint8) for value in (10, 120, 240)]
    net = RestoreNet(1, **TINY)
    assert [int(image.mean()) for image in restored(net, images, batch=2)] == [10, 120, 240]
