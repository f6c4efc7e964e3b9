"""Trains a net that reads words off a crop, and writes it as ONNX with its label lists and accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from starter.data.manifest import Sample, held_out_part, read_manifest, training_part
from starter.models.attributes import AttributeNet
from starter.onnx_files import any_batch, image_input, write_card, write_onnx
from starter.train.loop import Recipe, Trainer, rng_of_step
from starter.train.trait_batch import augment, moved_points, moves, photographed
from starter.train.trait_task import MARGIN, TraitTask, crops, part_maps, points_of, targets

_POINT_WEIGHT = 4.0


def log_shares(truth: Tensor, task: TraitTask) -> list[Tensor]:
    """Logarithm of each word's share among class numbers (N, lists), one (words,) per list.

    A word that no sample shows counts as frequent: a rare one would be expected where it was never learnt.
    """
    counts = [torch.bincount(truth[:, i], minlength=len(w)) for i, w in enumerate(task.labels.values())]
    return [torch.where(count > 0, count / count.sum(), 1.0).log() for count in counts]


@torch.no_grad()
def accuracy(
    task: TraitTask, model: nn.Module, images: Tensor, truth: Tensor
) -> tuple[dict[str, float], dict[str, float]]:
    """Share of right answers per list on uint8 crops, and the mean of each word's own share, rare or not."""
    model.eval()
    parts = [model(part.float() / 255) for part in images.split(64)]
    plain, of_words = {}, {}
    for i, name in enumerate(task.labels):
        right = (torch.cat([part[i] for part in parts]).argmax(1) == truth[:, i]).float()
        plain[name] = round(float(right.mean()), 3)
        shown = [right[truth[:, i] == word].mean() for word in truth[:, i].unique()]
        of_words[name] = round(float(torch.stack(shown).mean()), 3)
    return plain, of_words


def figures(task: TraitTask, model: nn.Module, samples: Sequence[Sample]) -> dict[str, Any]:
    """What the card says of samples that the net was not trained on."""
    images, truth = crops(task, samples), targets(task, samples)
    plain, of_words = accuracy(task, model, images, truth)
    measured: dict[str, Any] = {"images": len(samples), "accuracy": plain, "accuracy_of_words": of_words}
    if (parts := part_maps(task, samples)) is not None:
        seen, _ = photographed(images, parts, np.random.default_rng(0), share=1.0)
        measured["accuracy_like_photographs"], _ = accuracy(task, model, seen, truth)
    return measured


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


def train_task(task: TraitTask, recipe: Recipe, data: Path, runs: Path, steps: int | None) -> None:
    """Train on all identities that are not held out and write `runs/NAME/model`."""
    recipe = recipe if steps is None else replace(recipe, steps=steps)
    samples = read_manifest(data)
    train_samples, held_out = training_part(samples), held_out_part(samples)
    wide, truth = crops(task, train_samples, MARGIN), targets(task, train_samples)
    points, shares = points_of(task, train_samples), log_shares(truth, task)
    parts = part_maps(task, train_samples, MARGIN)
    torch.manual_seed(recipe.seed)
    net = task.net(0 if points is None else points.shape[1])
    trainer = Trainer(net, recipe, runs / task.name)
    trainer.resume()

    def loss_fn(model: nn.Module, step: int) -> Tensor:
        assert isinstance(model, AttributeNet)
        rng, _ = rng_of_step(recipe.seed, step)
        chosen = torch.from_numpy(rng.choice(len(wide), recipe.batch_here, replace=False))
        theta = moves(len(chosen), rng, task.mirror)
        seen, known = wide[chosen], None
        if parts is not None:
            seen, changed = photographed(seen, parts[chosen.numpy()], rng)
            known = known_words(task, changed)
        with torch.autocast("cpu", torch.bfloat16):
            logits, placed = model.with_points(augment(seen, theta, task.size_px, rng))
        loss = word_loss(logits, truth[chosen], shares if task.evenness else None, known)
        if points is None or placed is None:
            return loss
        return loss + _POINT_WEIGHT * F.smooth_l1_loss(placed.float(), moved_points(points[chosen], theta))

    if not trainer.complete(loss_fn):
        return
    if task.evenness:
        expect(net, shares, 1 - task.evenness)
    scores = figures(task, net, held_out)
    print(scores)
    export(task, net, scores, runs / task.name / "model")


@torch.no_grad()
def expect(net: AttributeNet, log_shares: Sequence[Tensor], strength: float) -> None:
    """Let a net that was trained on even words expect frequent ones again, by `strength` in [0, 1]."""
    for head, shares in zip(net.heads.values(), log_shares, strict=True):
        assert isinstance(head, nn.Linear)
        head.bias.add_(strength * shares)


def known_words(task: TraitTask, changed: Tensor) -> Tensor:
    """Which words can be read off crops, bool (B, lists): no shades where `changed` (B,) says so."""
    is_shade = torch.tensor([name in task.shades for name in task.labels])
    return ~(changed[:, None] & is_shade)


def word_loss(
    logits: Sequence[Tensor],
    truth: Tensor,
    log_shares: Sequence[Tensor] | None,
    known: Tensor | None = None,
) -> Tensor:
    """Mean cross-entropy over the lists; truth (B, lists), of which `known` (B, lists) count, by default all.

    With the words' log shares the net learns what speaks for a word apart from how frequent it is (Menon et
    al., "Long-tail learning via logit adjustment", arXiv 2007.07314).
    """
    losses = []
    for i, output in enumerate(logits):
        scores = output.float() if log_shares is None else output.float() + log_shares[i]
        of_rows = F.cross_entropy(scores, truth[:, i], label_smoothing=0.05, reduction="none")
        losses.append(of_rows.mean() if known is None else (of_rows * known[:, i]).mean())
    return torch.stack(losses).mean()
