"""Trains the attribute net and writes it as ONNX with its label lists and held-out accuracy."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from starter.data.headcrop import BOX_SCALE, CROP_PX, CROP_RULE, crop_head
from starter.data.labels import LABELS
from starter.data.manifest import Sample, held_out_part, read_manifest, training_part
from starter.models.attributes import AttributeNet
from starter.train.loop import Recipe, Trainer, rng_of_step

RECIPE = Recipe(steps=1500, batch=48, lr=1e-3, lr_end=2e-5, weight_decay=0.02)
_MARGIN = 1.2
"""Training crops are cut this much wider, so that they can be shifted and scaled."""
_WIDE_PX = int(CROP_PX * _MARGIN)


def load_heads(samples: Sequence[Sample], size: int, scale: float) -> Tensor:
    """Head crops of `samples`, uint8 (N, 3, size, size)."""
    crops = [
        crop_head(np.asarray(Image.open(s.image).convert("RGB")), s.box_px, size, scale) for s in samples
    ]
    return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).contiguous()


def targets(samples: Sequence[Sample]) -> Tensor:
    """Class numbers (N, attributes), in `LABELS` order."""
    rows = [[words.index(sample.attributes[name]) for name, words in LABELS.items()] for sample in samples]
    return torch.tensor(rows)


def augment(wide: Tensor, rng: np.random.Generator) -> Tensor:
    """Shift, scale, turn, mirror, tint, blur uint8 (B, 3, 153, 153) -> float [0, 1] (B, 3, 128, 128)."""
    count = len(wide)
    angle, zoom = rng.normal(0, 0.08, count), rng.uniform(0.88, 1.12, count) / _MARGIN
    mirror = rng.choice([-1.0, 1.0], count)
    theta = np.zeros((count, 2, 3), np.float32)
    theta[:, 0, 0], theta[:, 0, 1] = mirror * zoom * np.cos(angle), -zoom * np.sin(angle)
    theta[:, 1, 0], theta[:, 1, 1] = mirror * zoom * np.sin(angle), zoom * np.cos(angle)
    theta[:, :, 2] = rng.normal(0, 0.06, (count, 2))
    grid = F.affine_grid(torch.from_numpy(theta), [count, 3, CROP_PX, CROP_PX], align_corners=False)
    images = F.grid_sample(wide.float() / 255, grid, padding_mode="border", align_corners=False)
    tint = torch.from_numpy(rng.normal(1, 0.06, (count, 3, 1, 1)).astype(np.float32))
    gain = torch.from_numpy(rng.normal(1, 0.10, (count, 1, 1, 1)).astype(np.float32))
    images = (images * tint * gain).clamp(0, 1)
    if rng.random() < 0.3:
        small = F.interpolate(images, scale_factor=float(rng.uniform(0.4, 0.9)), mode="area")
        images = F.interpolate(small, size=(CROP_PX, CROP_PX), mode="bilinear")
    return images


def accuracy(model: nn.Module, samples: Sequence[Sample]) -> dict[str, float]:
    """Share of right answers per attribute."""
    model.eval()
    heads, truth = load_heads(samples, CROP_PX, BOX_SCALE), targets(samples)
    with torch.no_grad():
        logits = model(heads.float() / 255)
    right = [(output.argmax(1) == truth[:, i]).float().mean() for i, output in enumerate(logits)]
    return {name: round(float(share), 3) for name, share in zip(LABELS, right, strict=True)}


def export(model: nn.Module, scores: dict[str, float], held_out: int, folder: Path) -> None:
    """Write `attributes.onnx` and `attributes.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    example = torch.rand(2, 3, CROP_PX, CROP_PX)
    torch.onnx.export(
        model.eval(),
        (example,),
        folder / "attributes.onnx",
        input_names=["image"],
        output_names=list(LABELS),
        dynamic_axes={name: {0: "batch"} for name in ("image", *LABELS)},
        opset_version=17,
        dynamo=False,
    )
    card = {
        "input": {
            "name": "image",
            "shape": ["batch", 3, CROP_PX, CROP_PX],
            "range": [0.0, 1.0],
            "order": "RGB",
        },
        "crop": {"rule": CROP_RULE, "box_scale": BOX_SCALE, "size_px": CROP_PX, "padding": "edge"},
        "labels": {name: list(words) for name, words in LABELS.items()},
        "outputs": "one output of logits per label list, named like it",
        "held_out": {"images": held_out, "accuracy": scores},
    }
    (folder / "attributes.json").write_text(json.dumps(card, indent=1) + "\n")


def train(data: Path, runs: Path, steps: int | None = None) -> None:
    """Train on all identities that are not held out and write `runs/attributes/model`."""
    recipe = RECIPE if steps is None else replace(RECIPE, steps=steps)
    samples = read_manifest(data)
    train_samples, held_out = training_part(samples), held_out_part(samples)
    torch.manual_seed(recipe.seed)
    trainer = Trainer(AttributeNet(), recipe, runs / "attributes")
    trainer.resume()
    heads, truth = load_heads(train_samples, _WIDE_PX, BOX_SCALE * _MARGIN), targets(train_samples)

    def loss_fn(model: nn.Module, step: int) -> Tensor:
        rng, _ = rng_of_step(recipe.seed, step)
        chosen = torch.from_numpy(rng.choice(len(heads), recipe.batch_here, replace=False))
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(augment(heads[chosen], rng))
        losses = [
            F.cross_entropy(o.float(), truth[chosen, i], label_smoothing=0.05) for i, o in enumerate(logits)
        ]
        return torch.stack(losses).mean()

    trainer.run(loss_fn)
    trainer.load_average()
    scores = accuracy(trainer.model, held_out)
    print(scores)
    export(trainer.model, scores, len(held_out), runs / "attributes" / "model")
