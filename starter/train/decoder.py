"""Goes on training the decoder alone, after the generator has been started on the encoder's latents."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from starter.data.looks import in_every_look
from starter.data.manifest import read_manifest, training_part
from starter.data.pixels import load_pixels
from starter.models.vae import FoldedAutoencoder
from starter.train.loop import Recipe, Trainer, rng_of_step
from starter.train.parallel import rank
from starter.train.vae import CropSampler, reconstruction_loss

RECIPE = Recipe(
    steps=1200, batch=16, lr=2e-3, lr_end=5e-5, weight_decay=1e-4, warmup_steps=50, uses_muon=True
)
LATENT_NOISE = 0.08
"""Share of the latents' deviation; a generator never hits the encoder's latents exactly."""


def train(data: Path, runs: Path, steps: int | None = None) -> None:
    """Improve the decoder of `runs/vae/model` into `runs/decoder/model`; the encoder stays as it is.

    Pictures in other looks take part where `data` has them: style adapters need what the renders never show.
    """
    recipe = RECIPE if steps is None else replace(RECIPE, steps=steps)
    samples = in_every_look(training_part(read_manifest(data)))
    model = FoldedAutoencoder.load(runs / "vae" / "model")
    model.requires_grad_(False)
    model.network.decoder.requires_grad_(True)
    trainer = Trainer(model, recipe, runs / "decoder")
    trainer.resume()
    sampler = CropSampler(samples, load_pixels(samples))
    noise_scale = LATENT_NOISE / float(model.network.config.scaling_factor)

    def loss_fn(module: nn.Module, step: int) -> Tensor:
        assert isinstance(module, FoldedAutoencoder)
        rng, noise = rng_of_step(recipe.seed + 1, step)
        crops = sampler.batch(recipe.batch_here, rng)
        with torch.autocast("cpu", torch.bfloat16):
            with torch.no_grad():
                latents = module.encode(crops.images)
            latents = latents + noise_scale * torch.randn(latents.shape, generator=noise)
            output = module.decode(latents)
        return reconstruction_loss(output.float(), crops.images, crops.weights)

    trainer.run(loss_fn)
    trainer.load_average()
    if rank() == 0:
        model.save(runs / "decoder" / "model")
