"""Trains the finder of moles, freckles and scars and writes it as ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from starter.data.manifest import held_out_part, read_manifest, training_part
from starter.data.marks import BOX_SCALE, CROP_PX, MarkBatch, training_batch
from starter.models.blocks import measure_norms
from starter.models.marks import CELL_PX, KINDS, MarkNet
from starter.onnx_files import any_batch, box_crop_entry, image_input, write_card, write_onnx
from starter.train.loop import Recipe, Trainer, rng_of_step
from starter.train.marks_figures import best_threshold, measure

RECIPE = Recipe(steps=5000, batch=12, lr=2e-3, lr_end=2e-5, weight_decay=0.02)
_NORM_BATCHES = 24
_CALIBRATION_PICTURES = 400


def heat_loss(logits: Tensor, target: Tensor, counts: Tensor) -> Tensor:
    """Focal loss of CenterNet with its exponents 2 and 4, for each mark.

    logits, target: (B, kinds, h, w). counts: (B, 1, h, w), 0 where any answer is as good.
    """
    chance = logits.sigmoid().clamp(1e-4, 1 - 1e-4)
    is_mark = target == 1
    missed = -((1 - chance) ** 2) * chance.log() * is_mark
    invented = -((1 - target) ** 4) * chance**2 * (1 - chance).log() * ~is_mark * counts
    return (missed.sum() + invented.sum()) / is_mark.sum().clamp(min=1)


def total_loss(net: MarkNet, batch: MarkBatch) -> Tensor:
    """Heat, place and radius."""
    with torch.autocast("cpu", torch.bfloat16):
        outputs = net.raw(batch.images.contiguous(memory_format=torch.channels_last))
    logits, offset, log_radius = (output.float() for output in outputs)
    count = batch.is_mark.sum().clamp(min=1)
    place = (batch.is_mark * F.smooth_l1_loss(offset, batch.offset, reduction="none", beta=0.2)).sum() / count
    size = (
        batch.is_mark * F.smooth_l1_loss(log_radius, batch.log_radius, reduction="none", beta=0.5)
    ).sum() / count
    return heat_loss(logits, batch.heat, batch.counts) + place + 0.3 * size


def train(data: Path, runs: Path, steps: int | None = None) -> None:
    """Train on all identities that are not held out and write `runs/marks/model`."""
    recipe = RECIPE if steps is None else replace(RECIPE, steps=steps)
    samples = [sample for sample in read_manifest(data) if len(sample.landmarks)]
    train_samples, held_out = training_part(samples), held_out_part(samples)
    torch.manual_seed(recipe.seed)
    net = MarkNet()
    trainer = Trainer(net, recipe, runs / "marks")
    trainer.resume()

    def batch_of(step: int) -> MarkBatch:
        rng, _ = rng_of_step(recipe.seed, step)
        return training_batch(train_samples, recipe.batch_here, rng)

    def loss_fn(model: nn.Module, step: int) -> Tensor:
        assert isinstance(model, MarkNet)
        return total_loss(model, batch_of(step))

    if not trainer.complete(loss_fn):
        return
    measure_norms(net, (batch_of(recipe.steps + i).images for i in range(_NORM_BATCHES)))
    threshold = best_threshold(net, _spread(train_samples, _CALIBRATION_PICTURES))
    figures = measure(net, held_out, threshold)
    print(figures)
    export(net, threshold, figures, runs / "marks" / "model")


def _spread(samples: Sequence[Any], count: int) -> Sequence[Any]:
    return samples[:: max(1, len(samples) // count)]


def export(net: MarkNet, threshold: float, figures: dict[str, Any], folder: Path) -> None:
    """Write `marks.onnx` and its card."""
    outputs = ("heat", "offset", "radius")
    write_onnx(net, torch.rand(2, 3, CROP_PX, CROP_PX), folder / "marks.onnx", outputs, any_batch(*outputs))
    card = {
        "input": image_input(CROP_PX),
        "crop": box_crop_entry(BOX_SCALE, CROP_PX),
        "outputs": {
            "heat": "float32 (batch, kinds, h, w): confidence of a mark with its centre in the cell, else 0",
            "offset": "float32 (batch, 2, h, w): x and y of the centre within its cell, in cells",
            "radius": "float32 (batch, 1, h, w): pixels of the crop; of a scar half its length",
        },
        "cell_px": CELL_PX,
        "kinds": list(KINDS),
        "threshold": threshold,
        "held_out": figures,
    }
    write_card(folder / "marks.json", card)
