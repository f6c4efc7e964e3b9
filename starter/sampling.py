"""Draws portraits with the trained parts, for contact sheets and evaluation only.

Serving has its own engine; this is the shortest correct loop to look at a checkpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from starter.data.pixels import to_bytes
from starter.models.generator import Generator
from starter.models.unet import sampling_schedule
from starter.models.vae import FoldedAutoencoder


@dataclass(frozen=True)
class Guidance:
    """How far to go from the unconditional prediction towards the text, and from there to the identity."""

    text: float = 3.0
    identity: float = 4.0


@torch.no_grad()
def draw(
    model: Generator,
    vae: FoldedAutoencoder,
    captions: Sequence[str],
    identity: Tensor,
    guidance: Guidance = Guidance(),
    steps: int = 20,
    seed: int = 0,
) -> Tensor:
    """Portraits uint8 (B, 3, 256, 256), one per caption and row of `identity` (B, 128)."""
    model.eval()
    count = len(captions)
    schedule = sampling_schedule()
    schedule.set_timesteps(steps)
    size, channels = model.unet.config.sample_size, model.unet.config.in_channels
    latents = torch.randn(count, channels, size, size, generator=torch.Generator().manual_seed(seed))
    with torch.autocast("cpu", torch.bfloat16):
        text = model.encode_text([*[""] * count, *captions, *captions])
        people = torch.cat([torch.zeros_like(identity), torch.zeros_like(identity), identity])
        for timestep in schedule.timesteps:
            rows = schedule.scale_model_input(torch.cat([latents] * 3), timestep)
            nothing, words, both = model(rows, timestep.expand(len(rows)), text, people).float().chunk(3)
            velocity = nothing + guidance.text * (words - nothing) + guidance.identity * (both - words)
            latents = schedule.step(velocity, timestep, latents).prev_sample
        images = vae.decode(latents / vae.network.config.scaling_factor)
    return to_bytes(images)
