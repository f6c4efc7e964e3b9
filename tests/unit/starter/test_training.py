"""The training loop and the networks at toy size."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from starter.data.parts import weight_table
from starter.models.vae import LATENT_CHANNELS, FoldedAutoencoder, build_autoencoder
from starter.train import loop
from starter.train.loop import Recipe, Trainer, rng_of_step
from starter.train.vae import LatentCritic, reconstruction_loss

RECIPE = Recipe(steps=8, batch=4, lr=1e-2, lr_end=1e-3, warmup_steps=2)


def _trainer(folder: Path) -> Trainer:
    torch.manual_seed(0)
    return Trainer(nn.Linear(3, 2), RECIPE, folder)


def _loss(model: nn.Module, step: int) -> Tensor:
    _, noise = rng_of_step(RECIPE.seed, step)
    x = torch.randn(RECIPE.batch, 3, generator=noise)
    loss: Tensor = (model(x) - x[:, :2]).square().mean()
    return loss


def test_interrupted_training_ends_with_the_weights_of_an_undisturbed_one(tmp_path: Path) -> None:
    whole = _trainer(tmp_path / "whole")
    whole.run(_loss)
    _trainer(tmp_path / "broken").run(_loss, until=3)
    resumed = _trainer(tmp_path / "broken")
    assert resumed.resume()
    resumed.run(_loss)
    for name, parameter in whole.parameters.items():
        assert torch.equal(parameter, resumed.parameters[name])
        assert torch.equal(whole.average[name], resumed.average[name])


def test_one_process_writes_the_averaged_weights_unless_it_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _trainer(tmp_path / "first")
    assert first.complete(_loss)
    assert all(torch.equal(parameter, first.average[name]) for name, parameter in first.parameters.items())

    stopped = _trainer(tmp_path / "stopped")
    stopped.stop.received = True
    assert not stopped.complete(_loss)
    monkeypatch.setattr(loop, "rank", lambda: 1)
    assert not _trainer(tmp_path / "second").complete(_loss)


def test_learning_rate_rises_then_falls_to_its_end() -> None:
    rates = [RECIPE.lr_at(step) for step in range(RECIPE.steps + 1)]
    assert rates[0] < rates[1] <= RECIPE.lr
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert abs(rates[-1] - RECIPE.lr_end) < 1e-9


def test_a_cooldown_leaves_the_rate_alone_until_the_last_steps() -> None:
    short, long = (replace(RECIPE, steps=steps, cooldown=0.25) for steps in (42, 82))
    rates = [short.lr_at(step) for step in range(short.steps + 1)]
    assert set(rates[2:33]) == {RECIPE.lr}
    assert rates[33:] == sorted(rates[33:], reverse=True)
    assert abs(rates[-1] - RECIPE.lr_end) < 1e-9
    # So a run can be lengthened: up to its cooldown the longer one is the same.
    assert [long.lr_at(step) for step in range(33)] == rates[:33]


def test_folded_autoencoder_keeps_the_image_size_and_survives_saving(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = FoldedAutoencoder(build_autoencoder((32, 32, 32), (32, 32, 32))).eval()
    images = torch.rand(1, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        latents = model.encode(images)
        decoded = model.decode(latents)
        model.save(tmp_path)
        again = FoldedAutoencoder.load(tmp_path).decode(latents)
    assert latents.shape == (1, LATENT_CHANNELS, 4, 4)
    assert decoded.shape == images.shape
    assert torch.equal(decoded, again)


def test_reconstruction_loss_counts_an_error_in_an_eye_more_than_elsewhere() -> None:
    target, weights = torch.zeros(1, 3, 32, 32), torch.ones(1, 1, 32, 32)
    weights[..., :8, :8] = float(weight_table(eyes=5, features=1, face=1, rest=1)[7])
    eye, elsewhere = target.clone(), target.clone()
    eye[..., 2:6, 2:6] = 1
    elsewhere[..., 20:24, 20:24] = 1
    assert reconstruction_loss(target, target, weights) == 0
    assert reconstruction_loss(eye, target, weights) > 2 * reconstruction_loss(elsewhere, target, weights)


def test_latents_are_asked_to_say_their_parts_and_to_shrink_with_the_picture() -> None:
    torch.manual_seed(0)
    critic = LatentCritic(FoldedAutoencoder(build_autoencoder((32, 32, 32), (32, 32, 32)))).eval()
    torch.nn.init.zeros_(critic.read_parts.weight)
    critic.read_parts.bias.data = torch.eye(len(critic.read_parts.bias))[3] * 5
    latents = torch.randn(2, LATENT_CHANNELS, 4, 4)
    parts = torch.zeros(2, len(critic.read_parts.bias), 4, 4)
    right, wrong = parts.clone(), parts.clone()
    right[:, 3], wrong[:, 4] = 1, 1
    with torch.no_grad():
        at_half_size = critic.autoencoder.decode(torch.nn.functional.avg_pool2d(latents, 2))
        fitting = torch.nn.functional.interpolate(at_half_size, scale_factor=2)
        best = critic.latent_loss(latents, fitting, right)
        assert best < critic.latent_loss(latents, fitting, wrong) - 0.1
        assert best < critic.latent_loss(latents, fitting + 0.5, right) - 0.1
