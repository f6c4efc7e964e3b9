"""Trains the reader of latents; see `starter.models.latent_reader`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from starter.data.latents import load_latents
from starter.data.manifest import read_manifest, training_part
from starter.models.latent_reader import LatentReader
from starter.train.loop import Recipe, Trainer, rng_of_step
from starter.train.parallel import first_process_first, rank

RECIPE = Recipe(steps=2500, batch=48, lr=1e-3, lr_end=2e-5, weight_decay=0.05, uses_muon=True)
MOST_NOISE = 0.5
"""Largest share of noise in the latents that it is shown."""
TEMPERATURE = 0.1


def load_reader(file: Path) -> LatentReader:
    """A trained reader, frozen. Raises: FileNotFoundError naming the command that trains one."""
    if not file.exists():
        raise FileNotFoundError(f"No reader at {file}; run `python -m starter train reader` first.")
    reader = LatentReader()
    reader.load_state_dict(load_file(file))
    return reader.eval().requires_grad_(False)


def identity_loss(guess: Tensor, truth: Tensor) -> Tensor:
    """Each guess must be nearer to its own face than to the others of the batch, and near in itself."""
    similarity = guess @ truth.T
    own = similarity.diagonal()
    return F.cross_entropy(similarity / TEMPERATURE, torch.arange(len(guess))) + 2 * (1 - own).mean()


def train(data: Path, runs: Path, steps: int | None = None) -> None:
    """Train on all identities that are not held out; needs `runs/vae/model`; writes `runs/reader/model`."""
    recipe = RECIPE if steps is None else replace(RECIPE, steps=steps)
    samples = training_part(read_manifest(data))
    with first_process_first():
        latents = load_latents(samples, runs / "vae" / "model", runs / "generator" / "latents.safetensors")
    embeddings = torch.from_numpy(np.stack([sample.embedding for sample in samples]))
    torch.manual_seed(recipe.seed)
    trainer = Trainer(LatentReader(population=embeddings), recipe, runs / "reader")
    trainer.resume()

    def loss_fn(model: nn.Module, step: int) -> Tensor:
        assert isinstance(model, LatentReader)
        rng, noise_rng = rng_of_step(recipe.seed, step)
        # Each picture once: to tell apart two copies of one cannot be learnt.
        count = min(recipe.batch_here, len(samples))
        chosen = torch.from_numpy(rng.choice(len(samples), count, replace=False))
        mirrored = torch.from_numpy(rng.integers(0, 2, count))
        clean = latents.latents[chosen, mirrored].float()
        share = torch.from_numpy(rng.uniform(0, MOST_NOISE, (len(clean), 1, 1, 1)).astype(np.float32))
        noise = torch.randn(clean.shape, generator=noise_rng)
        with torch.autocast("cpu", torch.bfloat16):
            reading = model((1 - share**2).sqrt() * clean + share * noise)
        shares = latents.parts[chosen, mirrored].float()
        parts = -(shares * reading.parts.float().log_softmax(1)).sum(1).mean()
        return parts + identity_loss(reading.identity.float(), model.truth(embeddings[chosen]))

    trainer.run(loss_fn)
    trainer.load_average()
    if rank() == 0:
        (runs / "reader" / "model").mkdir(exist_ok=True)
        state = {key: value.contiguous() for key, value in trainer.model.state_dict().items()}
        save_file(state, runs / "reader" / "model" / "reader.safetensors")
