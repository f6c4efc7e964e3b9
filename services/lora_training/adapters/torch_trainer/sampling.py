"""What happens by chance in one step, drawn from (seed, step) alone, so that a resumed run draws the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import torch

from services.lora_training.adapters.torch_trainer.dataset import Dataset
from services.lora_training.domain.recipe import Recipe


@dataclass(frozen=True)
class Draw:
    """The random choices of one step for B examples.

    Attributes:
        examples: (B,) int64 indices of examples.
        crops: (B,) int64 rows of the dataset's latents.
        timesteps: (B,) int64.
        noise: (B, C, h, w) float32, standard normal.
        has_caption: (B,) bool, false where the caption is dropped.
        has_identity: (B,) bool, false where the identity tokens are dropped.
    """

    examples: torch.Tensor
    crops: torch.Tensor
    timesteps: torch.Tensor
    noise: torch.Tensor
    has_caption: torch.Tensor
    has_identity: torch.Tensor


def draw(step: int, recipe: Recipe, dataset: Dataset, timestep_count: int) -> Draw:
    """Draw step number `step` (from 0). Examples take turns; timesteps are stratified over the batch."""
    entropy = hashlib.sha256(f"{recipe.seed}/{step}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(entropy[:8], "big") >> 1)
    count = recipe.batch_size
    examples = (step * count + torch.arange(count)) % dataset.example_count
    variants = torch.randint(dataset.variant_count, (count,), generator=generator)
    # One draw from each of `count` equal slices of the noise levels: less variance than free draws.
    slices = torch.randperm(count, generator=generator) + torch.rand(count, generator=generator)
    return Draw(
        examples=examples,
        crops=examples * dataset.variant_count + variants,
        timesteps=(slices / count * timestep_count).long().clamp_max(timestep_count - 1),
        noise=torch.randn((count, *dataset.latents.shape[1:]), generator=generator),
        has_caption=torch.rand(count, generator=generator) >= recipe.caption_dropout,
        has_identity=torch.rand(count, generator=generator) >= recipe.identity_dropout,
    )
