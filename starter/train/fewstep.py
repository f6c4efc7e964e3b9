"""Trains the adapter with which a few steps of one row each do what many guided steps of three rows do.

The teacher is the packed generator with its guidance towards prompt and person, at the scales that its model
card gives; the student the same UNet with LoRA layers. What it learns is in `starter.train.distillation`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from starter.data.latents import Latents
from starter.data.manifest import Sample
from starter.models.generator import Generator
from starter.models.unet import training_schedule
from starter.sampling import Guidance
from starter.train.adapters import LoraShape, Plan, train_on_everybody
from starter.train.batches import Batch, BatchSampler
from starter.train.distillation import Segments, target_velocity
from starter.train.loop import LossFn, Recipe, Trainer, rng_of_step

NAME = "fewstep"
RECIPE = Recipe(
    steps=400, batch=24, lr=5e-3, lr_end=1e-4, warmup_steps=30, weight_decay=0.0, ema_decay=0.98, seed=11
)
SHAPE = LoraShape(
    16, r".*attentions\..*(attn[12]\.(to_q|to_k|to_v|to_out\.0)|proj_in|proj_out|ff\.net\.(0\.proj|2))"
)
"""All of the transformer blocks and no convolution: adapters of convolutions cost the server most."""
GUIDANCE = Guidance()
"""The scales that the pack recommends; a student has them built in."""
STUDENT_STEPS, TEACHER_STEPS = 40, 40
"""Segments of the student and steps of the teacher; see `Segments`. Equal numbers distil guidance alone, and
any sampler runs the student in any number of steps: one of second order needs few as it is, so that the rows
of guidance are what is left to save. With 8 or 4 segments the student jumps, in so many steps of ddim."""
SAMPLER = "dpmpp_2m" if STUDENT_STEPS == TEACHER_STEPS else "ddim"


class GuidedTeacher:
    """The generator without its adapter, guided as when it is served: three rows for each."""

    def __init__(self, model: Generator, batch: Batch, guidance: Guidance) -> None:
        self.model, self.guidance = model, guidance
        states = model.encode_text([*[""] * len(batch.captions), *batch.captions, *batch.captions])
        nobody = torch.zeros_like(batch.identity)
        self.text, self.identity = states, torch.cat([nobody, nobody, batch.identity])

    def __call__(self, noisy: Tensor, timesteps: Tensor) -> Tensor:
        """Guided velocity of all rows."""
        with without_adapter(self.model):
            rows = self.model(noisy.repeat(3, 1, 1, 1), timesteps.repeat(3), self.text, self.identity)
        nothing, words, both = rows.float().chunk(3)
        return nothing + self.guidance.text * (words - nothing) + self.guidance.identity * (both - words)


@contextmanager
def without_adapter(model: Generator) -> Iterator[None]:
    """Inside, the UNet computes what it did before LoRA layers were added."""
    model.unet.disable_adapters()
    try:
        yield
    finally:
        model.unet.enable_adapters()


@contextmanager
def averaged(trainer: Trainer) -> Iterator[None]:
    """Inside, the trained parameters have their averaged values."""
    current = {name: parameter.data for name, parameter in trainer.parameters.items()}
    for name, parameter in trainer.parameters.items():
        parameter.data = trainer.average[name]
    try:
        yield
    finally:
        for name, parameter in trainer.parameters.items():
            parameter.data = current[name]


class DistillationLoss:
    """Squared error of the student's velocity, weighted by the part map of the picture."""

    def __init__(self, sampler: BatchSampler, trainer: Trainer, guidance: Guidance = GUIDANCE) -> None:
        self.sampler, self.trainer, self.guidance = sampler, trainer, guidance
        self.schedule = training_schedule()
        self.segments = Segments(self.schedule.alphas_cumprod, STUDENT_STEPS, TEACHER_STEPS)

    def __call__(self, model: nn.Module, step: int) -> Tensor:
        """Loss of one step."""
        assert isinstance(model, Generator)
        recipe = self.trainer.recipe
        rng, noise_rng = rng_of_step(recipe.seed, step)
        batch = self.sampler.batch(recipe.batch_here, rng)
        levels = self.segments.timesteps()
        timesteps = levels[torch.from_numpy(rng.integers(0, len(levels), recipe.batch_here))]
        noise = torch.randn(batch.latents.shape, generator=noise_rng)
        noisy = self.schedule.add_noise(batch.latents, noise, timesteps)
        with torch.autocast("cpu", torch.bfloat16):
            target = self._target(model, batch, noisy, timesteps)
            text = model.encode_text(batch.captions)
            predicted = model(noisy, timesteps, text, batch.identity)
        return (batch.weights * (predicted.float() - target).square()).mean()

    @torch.no_grad()
    def _target(self, model: Generator, batch: Batch, noisy: Tensor, timesteps: Tensor) -> Tensor:
        teacher = GuidedTeacher(model, batch, self.guidance)
        text = model.encode_text(batch.captions)
        arrived = self.segments.after(timesteps) <= self.segments.end(timesteps)
        rows = (~arrived).nonzero().flatten()

        def student(samples: Tensor, levels: Tensor) -> Tensor:
            with averaged(self.trainer):
                velocity: Tensor = model(samples, levels, text[rows], batch.identity[rows])
            return velocity.float()

        return target_velocity(self.segments, noisy, timesteps, teacher, student)


def train(data: Path, runs: Path, steps: int | None = None, base: Path | None = None) -> None:
    """Train `runs/fewstep/fewstep.safetensors`; see `train_on_everybody` for the arguments."""
    description = f"Few steps of {SAMPLER} without guidance, which this adapter has built in."

    def make_loss(samples: Sequence[Sample], latents: Latents, trainer: Trainer) -> LossFn:
        return DistillationLoss(BatchSampler(samples, latents), trainer)

    train_on_everybody(Plan(NAME, description, SHAPE, RECIPE), data, runs, steps, base, make_loss)
