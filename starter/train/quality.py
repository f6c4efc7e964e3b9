"""Trains the judge of a face's quality on faces spoiled to a known degree, and writes it as ONNX."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn
from torch.nn import functional as F

from starter.data.manifest import held_out_part, read_manifest, training_part
from starter.data.quality import BOX_SCALE, CROP_PX, DEFECTS, QualityBatch, quality_of, spoiled_batch
from starter.data.reconstructions import load_reconstructions
from starter.models.blocks import measure_norms
from starter.models.quality import QualityNet
from starter.onnx_files import any_batch, box_crop_entry, image_input, write_card, write_onnx
from starter.train.loop import Recipe, Trainer, rng_of_step

RECIPE = Recipe(steps=4000, batch=24, lr=1.5e-3, lr_end=2e-5, weight_decay=0.02)
RECONSTRUCTIONS, HELD_OUT_RECONSTRUCTIONS = 1200, 150
_NORM_BATCHES, _TEST_BATCHES = 16, 20
_RANK_MARGIN = 0.1
_DISTORTED, _INTACT = 0.4, 0.05


def total_loss(net: QualityNet, batch: QualityBatch) -> Tensor:
    """Cross-entropy of strengths and quality, and of the order of neighbours in the batch."""
    with torch.autocast("cpu", torch.bfloat16):
        outputs = net.logits(batch.images.contiguous(memory_format=torch.channels_last))
    quality, defects = (output.float() for output in outputs)
    truth = quality_of(batch.defects)
    loss = F.binary_cross_entropy_with_logits(quality, truth)
    loss = loss + F.binary_cross_entropy_with_logits(defects, batch.defects)
    gap = truth - truth.roll(1)
    is_clear = gap.abs() > _RANK_MARGIN
    order = F.softplus(-(quality - quality.roll(1)) * gap.sign())
    return loss + 0.3 * (order * is_clear).sum() / is_clear.sum().clamp(min=1)


@torch.no_grad()
def measure(net: QualityNet, batches: list[QualityBatch]) -> dict[str, Any]:
    """Rank correlation with the truth, errors, and how well distorted faces are told from intact ones."""
    net.eval()
    answers = [net(batch.images) for batch in batches]
    quality, defects = (torch.cat(parts).numpy() for parts in zip(*answers, strict=True))
    truth = torch.cat([batch.defects for batch in batches])
    distortion = truth[:, DEFECTS.index("distortion")].numpy()
    told = defects[:, DEFECTS.index("distortion")]
    bad, good = told[distortion >= _DISTORTED], told[distortion <= _INTACT]
    both = len(bad) and len(good)
    return {
        "crops": len(truth),
        "rank_correlation": round(float(spearmanr(quality, quality_of(truth).numpy()).statistic), 3),
        "quality_error": round(float(np.abs(quality - quality_of(truth).numpy()).mean()), 3),
        "defect_errors": {
            name: round(float(np.abs(defects[:, i] - truth[:, i].numpy()).mean()), 3)
            for i, name in enumerate(DEFECTS)
        },
        "distorted_against_intact_auc": round(float((bad[:, None] > good).mean()), 3) if both else None,
    }


def train(data: Path, runs: Path, steps: int | None = None) -> None:
    """Train on all identities that are not held out and write `runs/quality/model`."""
    recipe = RECIPE if steps is None else replace(RECIPE, steps=steps)
    samples = read_manifest(data)
    train_samples, held_out = training_part(samples), held_out_part(samples)
    folder = runs / "quality"
    made = load_reconstructions(train_samples, runs, folder / "made.safetensors", RECONSTRUCTIONS)
    torch.manual_seed(recipe.seed)
    net = QualityNet(len(DEFECTS))
    trainer = Trainer(net, recipe, folder)
    trainer.resume()

    def batch_of(step: int) -> QualityBatch:
        rng, _ = rng_of_step(recipe.seed, step)
        return spoiled_batch(train_samples, made, recipe.batch_here, rng)

    def loss_fn(model: nn.Module, step: int) -> Tensor:
        assert isinstance(model, QualityNet)
        return total_loss(model, batch_of(step))

    if not trainer.complete(loss_fn):
        return
    measure_norms(net, (batch_of(recipe.steps + i).images for i in range(_NORM_BATCHES)))
    unseen = load_reconstructions(
        held_out, runs, folder / "made_held_out.safetensors", HELD_OUT_RECONSTRUCTIONS
    )
    rng = np.random.default_rng(0)
    tests = [spoiled_batch(held_out, unseen, recipe.batch, rng, varied=False) for _ in range(_TEST_BATCHES)]
    figures = measure(net, tests)
    print(figures)
    export(net, figures, folder / "model")


def export(net: QualityNet, figures: dict[str, Any], folder: Path) -> None:
    """Write `quality.onnx` and its card."""
    outputs = ("quality", "defects")
    write_onnx(net, torch.rand(2, 3, CROP_PX, CROP_PX), folder / "quality.onnx", outputs, any_batch(*outputs))
    card = {
        "input": image_input(CROP_PX),
        "crop": box_crop_entry(BOX_SCALE, CROP_PX),
        "outputs": {
            "quality": "float32 (batch,) in [0, 1]; 1 is a faultless face",
            "defects": "float32 (batch, labels) in [0, 1]; strength of each defect, 0 is none",
        },
        "labels": list(DEFECTS),
        "held_out": figures,
    }
    write_card(folder / "quality.json", card)
