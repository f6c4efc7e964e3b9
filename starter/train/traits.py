"""Trains a net that reads words off a crop, and writes it as ONNX with its label lists and accuracy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from starter.data.manifest import Sample, held_out_part, read_manifest, training_part
from starter.models.attributes import AttributeNet
from starter.onnx_files import any_batch, image_input, write_card, write_onnx
from starter.train.loop import Recipe, Trainer, rng_of_step

CROP_PX = 128
MARGIN = 1.2
"""Training crops are cut this much wider, so that they can be shifted and scaled."""
Crop = Callable[[Sample, int, float], NDArray[np.uint8]]


@dataclass(frozen=True)
class TraitTask:
    """What a net of this kind reads, and off what.

    Attributes:
        name: of the run, the folder and the file.
        labels: list -> its words.
        words_of: the word of each list that a sample shows.
        crop: (sample, size, margin) -> uint8 (size, size, 3), the crop made `margin` times wider.
        mirror: whether a mirrored crop reads the same.
        card: the card's entry on the crop.
    """

    name: str
    labels: Mapping[str, tuple[str, ...]]
    words_of: Callable[[Sample], Mapping[str, str]]
    crop: Crop
    mirror: bool
    card: Mapping[str, Any]


def crops(task: TraitTask, samples: Sequence[Sample], margin: float = 1.0) -> Tensor:
    """Crops of `samples`, uint8 (N, 3, S, S), S = CROP_PX * margin."""
    size = int(CROP_PX * margin)
    return torch.from_numpy(np.stack([task.crop(s, size, margin) for s in samples])).permute(0, 3, 1, 2)


def targets(task: TraitTask, samples: Sequence[Sample]) -> Tensor:
    """Class numbers (N, lists), in the order of the task's labels."""
    shown = [task.words_of(sample) for sample in samples]
    return torch.tensor([[words.index(s[name]) for name, words in task.labels.items()] for s in shown])


def augment(wide: Tensor, rng: np.random.Generator, mirror: bool = True) -> Tensor:
    """Shift, scale, turn, mirror, tint, blur uint8 (B, 3, 153, 153) -> float [0, 1] (B, 3, 128, 128)."""
    count = len(wide)
    angle, zoom = rng.normal(0, 0.08, count), rng.uniform(0.88, 1.12, count) / MARGIN
    flip = rng.choice([-1.0, 1.0], count) if mirror else np.ones(count)
    theta = np.zeros((count, 2, 3), np.float32)
    theta[:, 0, 0], theta[:, 0, 1] = flip * zoom * np.cos(angle), -zoom * np.sin(angle)
    theta[:, 1, 0], theta[:, 1, 1] = flip * zoom * np.sin(angle), zoom * np.cos(angle)
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


@torch.no_grad()
def accuracy(task: TraitTask, model: nn.Module, samples: Sequence[Sample]) -> dict[str, float]:
    """Share of right answers per list."""
    model.eval()
    images, truth = crops(task, samples), targets(task, samples)
    logits = model(images.float() / 255)
    right = [(output.argmax(1) == truth[:, i]).float().mean() for i, output in enumerate(logits)]
    return {name: round(float(share), 3) for name, share in zip(task.labels, right, strict=True)}


def export(
    task: TraitTask, model: nn.Module, scores: Mapping[str, float], held_out: int, folder: Path
) -> None:
    """Write `NAME.onnx` and `NAME.json`."""
    example = torch.rand(2, 3, CROP_PX, CROP_PX)
    names = list(task.labels)
    write_onnx(model, example, folder / f"{task.name}.onnx", names, any_batch(*names))
    card = {
        "input": image_input(CROP_PX),
        "crop": dict(task.card),
        "labels": {name: list(words) for name, words in task.labels.items()},
        "outputs": {name: "float32 (batch, words), logits" for name in names},
        "held_out": {"images": held_out, "accuracy": dict(scores)},
    }
    write_card(folder / f"{task.name}.json", card)


def train_task(task: TraitTask, recipe: Recipe, data: Path, runs: Path, steps: int | None) -> None:
    """Train on all identities that are not held out and write `runs/NAME/model`."""
    recipe = recipe if steps is None else replace(recipe, steps=steps)
    samples = read_manifest(data)
    train_samples, held_out = training_part(samples), held_out_part(samples)
    torch.manual_seed(recipe.seed)
    trainer = Trainer(AttributeNet(task.labels), recipe, runs / task.name)
    trainer.resume()
    wide, truth = crops(task, train_samples, MARGIN), targets(task, train_samples)

    def loss_fn(model: nn.Module, step: int) -> Tensor:
        rng, _ = rng_of_step(recipe.seed, step)
        chosen = torch.from_numpy(rng.choice(len(wide), recipe.batch_here, replace=False))
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(augment(wide[chosen], rng, task.mirror))
        losses = [
            F.cross_entropy(o.float(), truth[chosen, i], label_smoothing=0.05) for i, o in enumerate(logits)
        ]
        return torch.stack(losses).mean()

    if not trainer.run(loss_fn):
        return
    trainer.load_average()
    scores = accuracy(task, trainer.model, held_out)
    print(scores)
    export(task, trainer.model, scores, len(held_out), runs / task.name / "model")
