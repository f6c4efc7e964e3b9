"""Trains the net that reads parts and dense landmarks off a head crop, and writes it as ONNX.

Whole portraits take turns with head crops: the part reader of portraits goes on from this net
(`starter.train.parser`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from starter.data.headcrop import BOX_SCALE
from starter.data.manifest import Sample, held_out_part, read_manifest, training_part
from starter.data.parts import Part, weight_table
from starter.data.structure import HEAD_PX, Cut, StructureBatch, training_batch
from starter.heads.truth import LANDMARK_NAMES
from starter.models.blocks import measure_norms
from starter.models.structure import StructureNet
from starter.onnx_files import any_batch, box_crop_entry, image_input, write_card, write_onnx
from starter.train.loop import CHECKPOINT, Recipe, Trainer, rng_of_step
from starter.train.structure_figures import structure_figures
from starter.train.structure_start import start_from

RECIPE = Recipe(
    steps=6000,
    batch=16,
    lr=2e-3,
    lr_end=2e-5,
    weight_decay=0.02,
    uses_muon=True,
    by_adamw=("heat.weight", "visible"),
)
PARTS = tuple(part.name.lower() for part in Part)
HEAT_SIGMA = 1.2
"""Width of the target of a heat map, in its cells."""
_HIDDEN_WEIGHT = 0.3
_PART_WEIGHTS = weight_table(eyes=3.0, features=2.0, face=1.0, rest=1.0)[: len(PARTS)]
NORM_BATCHES = 24
START_ROWS = 48
_TURNS: tuple[Cut, ...] = ("head", "window", "head", "whole")
"""A window shows what a whole portrait does, at a third of the cost; the rim is rarer in it."""


def build_net() -> StructureNet:
    """An untrained net for all parts and landmarks of the renderer."""
    return StructureNet(len(PARTS), len(LANDMARK_NAMES))


def part_loss(logits: Tensor, parts: Tensor) -> Tensor:
    """Cross-entropy, and Dice over the parts of the batch, which counts a small part like a large one."""
    entropy = F.cross_entropy(logits, parts, weight=_PART_WEIGHTS)
    shares = logits.softmax(1)
    truth = F.one_hot(parts, logits.shape[1]).permute(0, 3, 1, 2)
    both, either = (shares * truth).sum((0, 2, 3)), (shares + truth).sum((0, 2, 3))
    present = truth.sum((0, 2, 3)) > 0
    dice = 1 - (2 * both[present] + 1) / (either[present] + 1)
    return entropy + dice.mean()


def heat_target(places: Tensor, rows: int, columns: int) -> Tensor:
    """Normal bumps that sum to one, (B, K, rows, columns), around places in [0, 1]."""
    ys = (torch.arange(rows) + 0.5) - places[..., 1:] * rows
    xs = (torch.arange(columns) + 0.5) - places[..., :1] * columns
    y, x = (torch.exp(-0.5 * (d / HEAT_SIGMA) ** 2) for d in (ys, xs))
    bump = y[..., :, None] * x[..., None, :]
    return bump / bump.sum((-1, -2), keepdim=True).clamp(min=1e-6)


def landmark_loss(places: Tensor, visible: Tensor, log_heat: Tensor, batch: StructureBatch) -> Tensor:
    """Distance in eye distances, cross-entropy of the heat maps, and of the visibility."""
    weights = torch.where(batch.visible, 1.0, _HIDDEN_WEIGHT) * batch.inside
    total = weights.sum().clamp(min=1)
    distance = (places - batch.places).norm(dim=-1) / batch.eye_distance[:, None]
    target = heat_target(batch.places, *log_heat.shape[-2:])
    entropy = -(target * log_heat).sum((-1, -2))
    seen = F.binary_cross_entropy_with_logits(visible, batch.visible.float())
    return (weights * (4 * distance + 0.1 * entropy)).sum() / total + 0.3 * seen


def total_loss(net: StructureNet, batch: StructureBatch) -> Tensor:
    """Both losses of one batch."""
    with torch.autocast("cpu", torch.bfloat16):
        fine, middle = net.features(batch.images.contiguous(memory_format=torch.channels_last))
        logits = net.part_logits(fine)
    places, visible, log_heat = net.read_landmarks(middle)
    return part_loss(logits.float(), batch.parts) + landmark_loss(places, visible, log_heat, batch)


def first_net(run: Path, start: Path | None, samples: Sequence[Sample], kind: Cut, seed: int) -> StructureNet:
    """The net of a run: a new one, or where `start` is named and the run is new, as packed in that folder.

    samples, kind: crops that the packed net's normalisations are taken apart by.
    """
    torch.manual_seed(seed)
    net = build_net()
    if start is not None and not (run / CHECKPOINT).exists():
        first = training_batch(samples, START_ROWS, kind, rng_of_step(seed, 0)[0])
        start_from(net, start, first.images)
    return net


def train(data: Path, runs: Path, steps: int | None = None, start: Path | None = None) -> None:
    """Train on all identities that are not held out; write `runs/structure/model`.

    start: folder of a packed structure net that a new run starts from.
    """
    recipe = RECIPE if steps is None else replace(RECIPE, steps=steps)
    samples = read_manifest(data)
    train_samples, held_out = training_part(samples), held_out_part(samples)
    run = runs / "structure"
    net = first_net(run, start, train_samples, "head", recipe.seed)
    trainer = Trainer(net, recipe, run)
    trainer.resume()

    def batch_of(step: int) -> StructureBatch:
        rng, _ = rng_of_step(recipe.seed, step)
        return training_batch(train_samples, recipe.batch_here, _TURNS[step % len(_TURNS)], rng)

    def loss_fn(model: nn.Module, step: int) -> Tensor:
        assert isinstance(model, StructureNet)
        return total_loss(model, batch_of(step))

    if not trainer.complete(loss_fn):
        return
    measure_norms(net, (batch_of(recipe.steps + i).images for i in range(NORM_BATCHES)))
    figures = structure_figures(net, held_out, PARTS)
    print(figures)
    export(net, figures, run / "model")


def export(net: StructureNet, held_out: dict[str, object], folder: Path) -> None:
    """Write `structure.onnx` and its card."""
    outputs = ("parts", "landmarks", "visible")
    write_onnx(
        net, torch.rand(2, 3, HEAD_PX, HEAD_PX), folder / "structure.onnx", outputs, any_batch(*outputs)
    )
    write_card(
        folder / "structure.json",
        {
            "input": image_input(HEAD_PX),
            "crop": box_crop_entry(BOX_SCALE, HEAD_PX),
            "outputs": {
                "parts": "float32 (batch, labels, S, S), logits",
                "landmarks": "float32 (batch, landmarks, 2), x and y in [0, 1] of the crop",
                "visible": "float32 (batch, landmarks), logit; above 0: nothing hides the landmark",
            },
            "labels": list(PARTS),
            "landmarks": list(LANDMARK_NAMES),
            "held_out": held_out,
        },
    )
