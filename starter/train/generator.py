"""Trains UNet and identity layers on cached latents, and the text encoder along with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from transformers import CLIPTextModel, CLIPTokenizer

from starter.data.latents import load_latents
from starter.data.manifest import Sample, read_manifest, training_part
from starter.models.generator import Generator
from starter.models.identity import attach_identity
from starter.models.unet import build_unet
from starter.train.batches import BatchSampler
from starter.train.loop import Recipe, Trainer
from starter.train.parallel import first_process_first
from starter.train.reader import load_reader
from starter.train.velocity_loss import VelocityLoss

RECIPE = Recipe(
    steps=10_000,
    batch=96,
    lr=4e-3,
    lr_end=5e-5,
    ema_decay=0.98,
    warmup_steps=100,
    uses_muon=True,
    cooldown=0.25,
)
"""In trials, which no command repeats: 80 steps of 48 rows brought the held-out loss to .719 at 4e-3, to
.782 at 1e-3; 96 rows share the fixed cost of a step (Muon, averaging over processes); and a long average
of weights that still move this fast is worse than the weights themselves: over 400 steps, half as much
error again at the noisiest ones, where a face gets its place. So the average is short, and the cooldown
does its work."""


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
    """Train on all identities that are not held out; needs `runs/vae`, `runs/text` and `runs/reader`."""
    recipe = RECIPE if steps is None else replace(RECIPE, steps=steps)
    model, samples = prepare(data, runs)
    trainer = Trainer(model, recipe, runs / "generator")
    trainer.resume()
    with first_process_first():
        latents = load_latents(samples, runs / "vae" / "model", runs / "generator" / "latents.safetensors")
    reader = load_reader(runs / "reader" / "model" / "reader.safetensors")
    trainer.run(VelocityLoss(BatchSampler(samples, latents), recipe, reader))
