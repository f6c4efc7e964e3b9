"""Draws portraits with the trained parts, for contact sheets and evaluation only.

Serving has its own engine; this is the shortest correct loop to look at a checkpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor
from torch._inductor import config as inductor_config

from starter.data.pixels import to_bytes
from starter.models.generator import Generator
from starter.models.unet import sampling_schedule
from starter.models.vae import FoldedAutoencoder


@dataclass(frozen=True)
class Guidance:
    """How far to go from the unconditional prediction towards the text, and from there to the identity.

    Equal scales go to both at once, which saves a row of three; 1 and 1 is no guidance, one row a step.
    """

    text: float = 3.0
    identity: float = 4.0

    @property
    def rows(self) -> tuple[str, ...]:
        """The predictions that a step needs, of "nothing", "words" and "both"."""
        if self.text != self.identity:
            return "nothing", "words", "both"
        return ("both",) if self.text == 1 else ("nothing", "both")

    def combine(self, found: Sequence[Tensor]) -> Tensor:
        """One prediction out of those that `rows` names."""
        if len(found) == 1:
            return found[0]
        nothing, words, both = found[0], found[-2], found[-1]
        if len(found) == 2:
            return nothing + self.text * (both - nothing)
        return nothing + self.text * (words - nothing) + self.identity * (both - words)


class FrozenGenerator(Generator):
    """A copy of a generator in bfloat16, compiled with its weights as constants, which may not be trained.

    The compiler lays every weight out for its kernel once, not in each call, and joins what follows a
    convolution to it. The first call of each number of rows compiles, for about a minute. Only without
    gradients.
    """

    def __init__(self, model: Generator) -> None:
        super().__init__(model.tokenizer, deepcopy(model.text_encoder), deepcopy(model.unet))
        self.eval().to(torch.bfloat16)
        self._compiled = torch.compile(super().forward)

    def forward(self, noisy: Tensor, timesteps: Tensor, text: Tensor, identity: Tensor) -> Tensor:
        """See Generator."""
        # Weights become constants while the call is traced, before the compiler's own options are looked at.
        with inductor_config.patch(freezing=True):
            predicted: Tensor = self._compiled(noisy, timesteps, text, identity)
        return predicted


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
    count, kinds = len(captions), guidance.rows
    schedule = sampling_schedule()
    schedule.set_timesteps(steps)
    size, channels = model.unet.config.sample_size, model.unet.config.in_channels
    latents = torch.randn(count, channels, size, size, generator=torch.Generator().manual_seed(seed))
    precision = next(model.parameters()).dtype
    with torch.autocast("cpu", torch.bfloat16):
        prompts = [text for kind in kinds for text in ([""] * count if kind == "nothing" else captions)]
        text = model.encode_text(prompts).to(precision)
        nobody = torch.zeros_like(identity)
        people = torch.cat([identity if kind == "both" else nobody for kind in kinds]).to(precision)
        for timestep in schedule.timesteps:
            rows = schedule.scale_model_input(torch.cat([latents] * len(kinds)), timestep)
            predicted = model(rows.to(precision), timestep.expand(len(rows)), text, people)
            velocity = guidance.combine(predicted.float().chunk(len(kinds)))
            latents = schedule.step(velocity, timestep, latents).prev_sample
        images = vae.decode(latents / vae.network.config.scaling_factor)
    return to_bytes(images)
