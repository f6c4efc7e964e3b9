"""What the generator is trained on: velocities, part maps, and what a reader of latents sees."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from starter.models.generator import Generator
from starter.models.identity import set_identity_scale
from starter.models.latent_reader import LatentReader
from starter.models.unet import training_schedule
from starter.train.batches import Batch, BatchSampler
from starter.train.loop import Recipe, rng_of_step

ADAPTER_OFF = 0.08
"""Share of steps with the identity layers switched off, so that the plain UNet works on its own."""
SNR_CAP = 5.0
PARTS_WEIGHT, FEATURES_WEIGHT, LIKENESS_WEIGHT = 0.1, 0.1, 0.1
READ_UNTIL = 0.5
"""Estimates of the clean latents are read where noise is at most this share of the variance."""
NOISY_FROM = 600
"""Timestep with a signal-to-noise ratio of about one half."""


def feature_distance(ours: Tensor, theirs: Tensor) -> Tensor:
    """Mean squared distance of two feature maps (B, C, h, w) in deviations of the second, per channel."""
    deviation = theirs.std((0, 2, 3), keepdim=True) + 1e-3
    return ((ours - theirs) / deviation).square().clamp(max=25).mean()


class VelocityLoss:
    """Velocity prediction, weighted by the part map and less where there is hardly any noise.

    The cap at high signal-to-noise is that of Hang et al., "Efficient Diffusion Training via Min-SNR
    Weighting Strategy", 2023. Their weights for low ones are left out: on latents this small the
    noisiest steps decide colours and outlines, and with weights near 0 there the conditions stay unused.
    """

    def __init__(
        self,
        sampler: BatchSampler,
        recipe: Recipe,
        reader: LatentReader | None = None,
        parts_weight: float = PARTS_WEIGHT,
    ) -> None:
        self.sampler = sampler
        self.parts_weight = parts_weight
        self.recipe = recipe
        self.reader = reader
        self.schedule = training_schedule()
        signal = self.schedule.alphas_cumprod
        snr = signal / (1 - signal)
        self.step_weights = ((SNR_CAP + 1) / (snr + 1)).clamp(max=1)

    def draw_timesteps(self, rng: np.random.Generator) -> Tensor:
        """Half of the rows from all timesteps, half from the noisy end, where the conditions matter most."""
        count = self.recipe.batch_here
        lowest = np.where(rng.random(count) < 0.5, 0, NOISY_FROM)
        return torch.from_numpy(rng.integers(lowest, len(self.step_weights)))

    def __call__(self, model: nn.Module, step: int) -> Tensor:
        """Loss of one step."""
        assert isinstance(model, Generator)
        rng, noise_rng = rng_of_step(self.recipe.seed, step)
        is_adapter_on = rng.random() >= ADAPTER_OFF
        batch = self.sampler.batch(self.recipe.batch_here, rng)
        timesteps = self.draw_timesteps(rng)
        noise = torch.randn(batch.latents.shape, generator=noise_rng)
        noisy = self.schedule.add_noise(batch.latents, noise, timesteps)
        target = self.schedule.get_velocity(batch.latents, noise, timesteps)
        set_identity_scale(model.unet, 1.0 if is_adapter_on else 0.0)
        with torch.autocast("cpu", torch.bfloat16):
            predicted = model(noisy, timesteps, model.encode_text(batch.captions), batch.identity)
        errors = (batch.weights * (predicted.float() - target) ** 2).mean((1, 2, 3))
        loss = (self.step_weights[timesteps] * errors).mean()
        if self.parts_weight:
            loss = loss + self.parts_weight * model.parts.loss(batch.parts, batch.weights)
        return loss + self._reading_loss(batch, noisy, predicted.float(), timesteps)

    def _reading_loss(self, batch: Batch, noisy: Tensor, velocity: Tensor, timesteps: Tensor) -> Tensor:
        """How differently the reader reads the estimated clean latents and the true ones."""
        signal = self.schedule.alphas_cumprod[timesteps].view(-1, 1, 1, 1)
        rows = (1 - signal.flatten() <= READ_UNTIL).nonzero().flatten()
        if self.reader is None or not len(rows):
            return velocity.new_zeros(())
        clean = (signal.sqrt() * noisy - (1 - signal).sqrt() * velocity)[rows]
        with torch.autocast("cpu", torch.bfloat16):
            guess = self.reader(clean)
            with torch.no_grad():
                truth = self.reader(batch.latents[rows])
        pairs = zip(guess.features, truth.features, strict=True)
        features = torch.stack([feature_distance(ours.float(), theirs.float()) for ours, theirs in pairs])
        apart = 1 - (guess.identity.float() * truth.identity.float()).sum(1)
        is_known = (batch.identity[rows] != 0).any(1)
        return FEATURES_WEIGHT * features.mean() + LIKENESS_WEIGHT * (apart * is_known).mean()
