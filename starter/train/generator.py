"""Trains UNet and identity layers on cached latents, and the text encoder along with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTokenizer

from starter.data.captions import varied_caption
from starter.data.latents import Latents, load_latents
from starter.data.manifest import Sample, by_identity, read_manifest, training_part
from starter.models.identity import EMBEDDING_DIM, attach_identity, load_identity, set_identity_scale
from starter.models.unet import build_unet, training_schedule
from starter.train.loop import Recipe, Trainer, rng_of_step

RECIPE = Recipe(steps=3680, batch=32, lr=6e-4, lr_end=5e-5, ema_decay=0.998, warmup_steps=150)
DROP_BOTH, DROP_TEXT, DROP_IDENTITY = 0.05, 0.12, 0.15
"""Shares of rows that are trained without a condition, for guidance on each of them."""
ADAPTER_OFF = 0.08
"""Share of steps with the identity layers switched off, so that the plain UNet works on its own."""
EMBEDDING_NOISE = 0.015
SNR_CAP = 5.0
NOISY_FROM = 600
"""Timestep with a signal-to-noise ratio of about one half."""


class Generator(nn.Module):
    """UNet with identity layers and the text encoder, trained as one."""

    def __init__(
        self, tokenizer: CLIPTokenizer, text_encoder: CLIPTextModel, unet: UNet2DConditionModel
    ) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        self.text_encoder = text_encoder
        self.unet = unet

    @classmethod
    def load(cls, folder: Path) -> Generator:
        """Read a packed model folder with its identity adapter, in float32."""
        unet = UNet2DConditionModel.from_pretrained(folder / "unet", dtype=torch.float32)
        load_identity(unet, folder / "ip_adapter.safetensors")
        text_encoder = CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=torch.float32)
        return cls(CLIPTokenizer.from_pretrained(folder / "tokenizer"), text_encoder, unet)

    def encode_text(self, captions: Sequence[str]) -> Tensor:
        """Token states (B, 48, 192); "" is the unconditional prompt."""
        tokens = self.tokenizer(list(captions), padding="max_length", truncation=True, return_tensors="pt")
        states: Tensor = self.text_encoder(tokens.input_ids).last_hidden_state
        return states

    def forward(self, noisy: Tensor, timesteps: Tensor, text: Tensor, identity: Tensor) -> Tensor:
        """Predicted velocity (B, 16, h, w); a zero `identity` (B, 128) is the unconditional one."""
        condition = {"image_embeds": [identity.unsqueeze(1)]}
        predicted: Tensor = self.unet(noisy, timesteps, text, added_cond_kwargs=condition).sample
        return predicted


@dataclass(frozen=True)
class Batch:
    """Rows of one step: latents and weights (B, ., h, w), captions, identities (B, 128)."""

    latents: Tensor
    weights: Tensor
    captions: list[str]
    identity: Tensor


class BatchSampler:
    """Draws rows with captions as people type them and embeddings of *other* pictures of the person."""

    def __init__(self, samples: Sequence[Sample], latents: Latents) -> None:
        self.samples = samples
        self.latents = latents
        self.embeddings = np.stack([sample.embedding for sample in samples])
        self.siblings = by_identity(samples)

    def identity(self, index: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """L2-normalised mean of 1 to 4 other pictures of the same person, with a little noise."""
        others = [i for i in self.siblings[self.samples[index].identity] if i != index] or [index]
        count = int(rng.integers(1, min(4, len(others)) + 1))
        mean = self.embeddings[rng.choice(others, count, replace=False)].mean(0)
        noisy = mean / np.linalg.norm(mean) + rng.normal(0, EMBEDDING_NOISE, EMBEDDING_DIM)
        return np.asarray(noisy / np.linalg.norm(noisy), np.float32)

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        """Rows with conditions dropped at random."""
        chosen = rng.choice(len(self.samples), size)
        mirrored = rng.integers(0, 2, size)
        identity = np.stack([self.identity(int(i), rng) for i in chosen])
        captions = [
            varied_caption(self.samples[i], bool(m), rng) for i, m in zip(chosen, mirrored, strict=True)
        ]
        for row, dice in enumerate(rng.random(size)):
            if dice < DROP_BOTH + DROP_TEXT:
                captions[row] = ""
            if dice < DROP_BOTH or dice > 1 - DROP_IDENTITY:
                identity[row] = 0
        return Batch(
            self.latents.latents[chosen, mirrored].float(),
            self.latents.weights[chosen, mirrored].float(),
            captions,
            torch.from_numpy(identity),
        )


class VelocityLoss:
    """Velocity prediction, weighted by the part map and less where there is hardly any noise.

    The cap at high signal-to-noise is that of Hang et al., "Efficient Diffusion Training via Min-SNR
    Weighting Strategy", 2023. Their weights for low ones are left out: on latents this small the
    noisiest steps decide colours and outlines, and with weights near 0 there the conditions stay unused.
    """

    def __init__(self, sampler: BatchSampler, recipe: Recipe) -> None:
        self.sampler = sampler
        self.recipe = recipe
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
        return (self.step_weights[timesteps] * errors).mean()


def prepare(data: Path, runs: Path) -> tuple[Generator, list[Sample]]:
    """A generator with the text encoder of `runs/text`, else untrained, and the samples to train it on."""
    samples = training_part(read_manifest(data))
    tokenizer = CLIPTokenizer.from_pretrained(runs / "text" / "tokenizer")
    text_encoder = CLIPTextModel.from_pretrained(runs / "text" / "model")
    population = torch.from_numpy(np.stack([sample.embedding for sample in samples]))
    torch.manual_seed(RECIPE.seed)
    unet = build_unet()
    attach_identity(unet, population)
    return Generator(tokenizer, text_encoder, unet), samples


def train(data: Path, runs: Path, steps: int | None = None) -> None:
    """Train on all identities that are not held out; needs `runs/vae/model` and `runs/text`."""
    recipe = RECIPE if steps is None else replace(RECIPE, steps=steps)
    model, samples = prepare(data, runs)
    trainer = Trainer(model, recipe, runs / "generator")
    trainer.resume()
    latents = load_latents(samples, runs / "vae" / "model", runs / "generator" / "latents.safetensors")
    trainer.run(VelocityLoss(BatchSampler(samples, latents), recipe))
