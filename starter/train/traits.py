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

MARGIN = 1.2
"""Training crops are cut this much wider, so that they can be shifted and scaled."""
_POINT_WEIGHT = 4.0
Crop = Callable[[Sample, int, float], NDArray[np.uint8]]
PointsOf = Callable[[Sample, float], NDArray[np.float32]]


@dataclass(frozen=True)
class TraitTask:
    """What a net of this kind reads, and off what.

    Attributes:
        name: of the run, the folder and the file.
        labels: list -> its words.
        words_of: the word of each list that a sample shows.
        crop: (sample, size, margin) -> uint8 (size, size, 3), the crop made `margin` times wider.
        mirror: whether a mirrored crop reads the same.
        card: the card's entry on the crop; its "size_px" is the side of the crops.
        points_of: (sample, margin) -> float32 (points, 2), -1 to 1 across that crop: what is learnt beside
            the words, where every sample has landmarks. Only where nothing is mirrored: sides have names.
        evenness: how far the packed net goes from words as likely as in the training data, 0, to words that
            are all equally likely, 1. A prompt asks for rare words as often as for frequent ones.
    """

    name: str
    labels: Mapping[str, tuple[str, ...]]
    words_of: Callable[[Sample], Mapping[str, str]]
    crop: Crop
    mirror: bool
    card: Mapping[str, Any]
    points_of: PointsOf | None = None
    evenness: float = 0.0

    @property
    def size_px(self) -> int:
        """Side of the crops."""
        return int(self.card["size_px"])


def crops(task: TraitTask, samples: Sequence[Sample], margin: float = 1.0) -> Tensor:
    """Crops of `samples`, uint8 (N, 3, S, S), S = the task's size * margin."""
    size = int(task.size_px * margin)
    return torch.from_numpy(np.stack([task.crop(s, size, margin) for s in samples])).permute(0, 3, 1, 2)


def targets(task: TraitTask, samples: Sequence[Sample]) -> Tensor:
    """Class numbers (N, lists), in the order of the task's labels."""
    shown = [task.words_of(sample) for sample in samples]
    return torch.tensor([[words.index(s[name]) for name, words in task.labels.items()] for s in shown])


def log_shares(truth: Tensor, task: TraitTask) -> list[Tensor]:
    """Logarithm of each word's share among class numbers (N, lists), one (words,) per list.

    A word that no sample shows counts as frequent: a rare one would be expected where it was never learnt.
    """
    counts = [torch.bincount(truth[:, i], minlength=len(w)) for i, w in enumerate(task.labels.values())]
    return [torch.where(count > 0, count / count.sum(), 1.0).log() for count in counts]


def moves(count: int, rng: np.random.Generator, mirror: bool) -> NDArray[np.float32]:
    """Maps (B, 2, 3) of places in a crop to the wider one, both -1 to 1: shift, zoom, turn, mirror."""
    angle, zoom = rng.normal(0, 0.08, count), rng.uniform(0.88, 1.12, count) / MARGIN
    flip = rng.choice([-1.0, 1.0], count) if mirror else np.ones(count)
    theta = np.zeros((count, 2, 3), np.float32)
    theta[:, 0, 0], theta[:, 0, 1] = flip * zoom * np.cos(angle), -zoom * np.sin(angle)
    theta[:, 1, 0], theta[:, 1, 1] = flip * zoom * np.sin(angle), zoom * np.cos(angle)
    theta[:, :, 2] = rng.normal(0, 0.06, (count, 2))
    return theta


def moved_points(points: Tensor, theta: NDArray[np.float32]) -> Tensor:
    """Points (B, K, 2) of the wider crops in the crops that `theta` cuts out of them."""
    maps = torch.from_numpy(theta)
    return torch.linalg.solve(maps[:, :, :2], (points - maps[:, None, :, 2]).mT).mT


def augment(wide: Tensor, theta: NDArray[np.float32], size: int, rng: np.random.Generator) -> Tensor:
    """Cut by `theta`, tint and blur uint8 (B, 3, S * MARGIN, S * MARGIN) -> float [0, 1] (B, 3, S, S)."""
    count = len(wide)
    grid = F.affine_grid(torch.from_numpy(theta), [count, 3, size, size], align_corners=False)
    images = F.grid_sample(wide.float() / 255, grid, padding_mode="border", align_corners=False)
    tint = torch.from_numpy(rng.normal(1, 0.06, (count, 3, 1, 1)).astype(np.float32))
    gain = torch.from_numpy(rng.normal(1, 0.10, (count, 1, 1, 1)).astype(np.float32))
    images = (images * tint * gain).clamp(0, 1)
    if rng.random() < 0.3:
        small = F.interpolate(images, scale_factor=float(rng.uniform(0.4, 0.9)), mode="area")
        images = F.interpolate(small, size=(size, size), mode="bilinear")
    return images


@torch.no_grad()
def accuracy(
    task: TraitTask, model: nn.Module, samples: Sequence[Sample]
) -> tuple[dict[str, float], dict[str, float]]:
    """Share of right answers per list, and the mean of each word's own share, rare ones like others."""
    model.eval()
    images, truth = crops(task, samples), targets(task, samples)
    parts = [model(part.float() / 255) for part in images.split(64)]
    plain, of_words = {}, {}
    for i, name in enumerate(task.labels):
        right = (torch.cat([part[i] for part in parts]).argmax(1) == truth[:, i]).float()
        plain[name] = round(float(right.mean()), 3)
        shown = [right[truth[:, i] == word].mean() for word in truth[:, i].unique()]
        of_words[name] = round(float(torch.stack(shown).mean()), 3)
    return plain, of_words


def export(task: TraitTask, model: nn.Module, held_out: Mapping[str, Any], folder: Path) -> None:
    """Write `NAME.onnx` and `NAME.json`."""
    example = torch.rand(2, 3, task.size_px, task.size_px)
    names = list(task.labels)
    write_onnx(model, example, folder / f"{task.name}.onnx", names, any_batch(*names))
    card = {
        "input": image_input(task.size_px),
        "crop": dict(task.card),
        "labels": {name: list(words) for name, words in task.labels.items()},
        "outputs": {name: "float32 (batch, words), logits" for name in names},
        "held_out": dict(held_out),
    }
    write_card(folder / f"{task.name}.json", card)


def points_of(task: TraitTask, samples: Sequence[Sample]) -> Tensor | None:
    """What is learnt beside the words, (N, K, 2) in the wider crops; None where a sample has no landmarks."""
    if task.points_of is None or not all(len(sample.landmarks) for sample in samples):
        return None
    return torch.from_numpy(np.stack([task.points_of(sample, MARGIN) for sample in samples]))


def train_task(task: TraitTask, recipe: Recipe, data: Path, runs: Path, steps: int | None) -> None:
    """Train on all identities that are not held out and write `runs/NAME/model`."""
    recipe = recipe if steps is None else replace(recipe, steps=steps)
    samples = read_manifest(data)
    train_samples, held_out = training_part(samples), held_out_part(samples)
    wide, truth = crops(task, train_samples, MARGIN), targets(task, train_samples)
    points, shares = points_of(task, train_samples), log_shares(truth, task)
    torch.manual_seed(recipe.seed)
    net = AttributeNet(task.labels, size_px=task.size_px, points=0 if points is None else points.shape[1])
    trainer = Trainer(net, recipe, runs / task.name)
    trainer.resume()

    def loss_fn(model: nn.Module, step: int) -> Tensor:
        assert isinstance(model, AttributeNet)
        rng, _ = rng_of_step(recipe.seed, step)
        chosen = torch.from_numpy(rng.choice(len(wide), recipe.batch_here, replace=False))
        theta = moves(len(chosen), rng, task.mirror)
        with torch.autocast("cpu", torch.bfloat16):
            logits, placed = model.with_points(augment(wide[chosen], theta, task.size_px, rng))
        loss = word_loss(logits, truth[chosen], shares if task.evenness else None)
        if points is None or placed is None:
            return loss
        return loss + _POINT_WEIGHT * F.smooth_l1_loss(placed.float(), moved_points(points[chosen], theta))

    if not trainer.complete(loss_fn):
        return
    if task.evenness:
        expect(net, shares, 1 - task.evenness)
    plain, of_words = accuracy(task, net, held_out)
    scores = {"images": len(held_out), "accuracy": plain, "accuracy_of_words": of_words}
    print(scores)
    export(task, net, scores, runs / task.name / "model")


@torch.no_grad()
def expect(net: AttributeNet, log_shares: Sequence[Tensor], strength: float) -> None:
    """Let a net that was trained on even words expect frequent ones again, by `strength` in [0, 1]."""
    for head, shares in zip(net.heads.values(), log_shares, strict=True):
        assert isinstance(head, nn.Linear)
        head.bias.add_(strength * shares)


def word_loss(logits: Sequence[Tensor], truth: Tensor, log_shares: Sequence[Tensor] | None) -> Tensor:
    """Mean cross-entropy over the lists; truth (B, lists).

    With the words' log shares the net learns what speaks for a word apart from how frequent it is (Menon et
    al., "Long-tail learning via logit adjustment", arXiv 2007.07314).
    """
    losses = []
    for i, output in enumerate(logits):
        scores = output.float() if log_shares is None else output.float() + log_shares[i]
        losses.append(F.cross_entropy(scores, truth[:, i], label_smoothing=0.05))
    return torch.stack(losses).mean()
