"""Trains a style adapter (LoRA) on top of the finished generator, from the same heads in another look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file
from torch import nn

from starter.data.latents import load_latents
from starter.data.manifest import Sample, read_manifest, training_part
from starter.models.generator import Generator
from starter.train.batches import BatchSampler
from starter.train.generator import RECIPE as GENERATOR_RECIPE
from starter.train.generator import prepare
from starter.train.loop import Recipe, Trainer
from starter.train.parallel import rank
from starter.train.velocity_loss import VelocityLoss

LOOK = "toon"
RANK = 8
RECIPE = Recipe(
    steps=300, batch=24, lr=2e-3, lr_end=2e-4, warmup_steps=20, weight_decay=0.0, ema_decay=0.98, seed=5
)
# A look is mostly local texture, so the convolutions of the finest level take part, not attention alone.
_LAYERS = r".*(attn[12]\.(to_q|to_k|to_v|to_out\.0)|resnets\.\d+\.conv[12]|conv_in|conv_out)"


def in_look(samples: Sequence[Sample], look: str) -> list[Sample]:
    """The same samples with their pictures in another look (`N.toon.jpg` beside `N.jpg`)."""
    return [replace(sample, image=sample.image.with_suffix(f".{look}.jpg")) for sample in samples]


def add_lora(unet: nn.Module) -> None:
    """Freeze `unet` and give it trainable LoRA layers; alpha equals rank, so any reader scales them alike."""
    unet.requires_grad_(False)
    config = LoraConfig(r=RANK, lora_alpha=RANK, target_modules=_LAYERS, init_lora_weights=True)
    unet.add_adapter(config)  # type: ignore[operator]


def _finished_generator(data: Path, runs: Path) -> Generator:
    model, _ = prepare(data, runs)
    trainer = Trainer(model, GENERATOR_RECIPE, runs / "generator")
    if not trainer.resume():
        raise FileNotFoundError(f"No checkpoint in {runs}/generator; train the generator first.")
    trainer.load_average()
    return model


def train(data: Path, runs: Path, steps: int | None = None) -> None:
    """Train on a data set rendered with `--looks render,toon`; writes `runs/style/toon.safetensors`."""
    recipe = RECIPE if steps is None else replace(RECIPE, steps=steps)
    model = _finished_generator(data, runs)
    model.requires_grad_(False)
    add_lora(model.unet)
    trainer = Trainer(model, recipe, runs / "style")
    trainer.resume()
    samples = in_look(training_part(read_manifest(data)), LOOK)
    latents = load_latents(samples, runs / "vae" / "model", runs / "style" / "latents.safetensors")
    trainer.run(VelocityLoss(BatchSampler(samples, latents), recipe))
    trainer.load_average()
    if rank() == 0:
        state = get_peft_model_state_dict(model.unet)
        tensors = {f"unet.{name}": value.detach().half().contiguous() for name, value in state.items()}
        save_file(tensors, runs / "style" / f"{LOOK}.safetensors")
