"""Trains the evaluation's own identity embedder and writes it as ONNX.

It wants many people more than many pictures: `--data` may be a folder of its own with more identities than
the generator saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from starter.data.identities import BOX_SCALE, exact_crops, training_crops
from starter.data.manifest import Sample, by_identity, held_out_part, read_manifest, training_part
from starter.models.blocks import measure_norms
from starter.models.embedder import CROP_PX, EMBEDDING, CosFaceHead, FaceEmbedder
from starter.onnx_files import any_batch, box_crop_entry, image_input, write_card, write_onnx
from starter.train.loop import Recipe, Trainer, rng_of_step
from starter.train.verification import verification

RECIPE = Recipe(
    steps=5000,
    batch=64,
    lr=2e-3,
    lr_end=1e-5,
    weight_decay=0.05,
    uses_muon=True,
    by_adamw=("directions",),
)
_MARGIN_FROM_STEP = 0.2
"""The margin grows from zero over this share of the steps; at once, it keeps a small net from starting."""
_NORM_BATCHES = 16


@torch.no_grad()
def embed(net: FaceEmbedder, samples: Sequence[Sample], batch: int = 64) -> Tensor:
    """Mean of each picture's embedding and its mirror image's, L2-normalised (N, 128)."""
    net.eval()
    rows = []
    for start in range(0, len(samples), batch):
        crops = exact_crops(samples[start : start + batch])
        rows.append(nn.functional.normalize(net(crops) + net(crops.flip(-1)), dim=1))
    return torch.cat(rows)


def train(data: Path, runs: Path, steps: int | None = None) -> None:
    """Train on all identities that are not held out and write `runs/embedder/model`."""
    recipe = RECIPE if steps is None else replace(RECIPE, steps=steps)
    samples = read_manifest(data)
    train_samples, held_out = training_part(samples), held_out_part(samples)
    groups = list(by_identity(train_samples).values())
    torch.manual_seed(recipe.seed)
    head = CosFaceHead(FaceEmbedder(), len(groups))
    trainer = Trainer(head, recipe, runs / "embedder")
    trainer.resume()

    def batch_of(step: int) -> tuple[Tensor, Tensor]:
        rng, _ = rng_of_step(recipe.seed, step)
        people = rng.choice(len(groups), recipe.batch_here, replace=len(groups) < recipe.batch_here)
        positions = [int(rng.choice(groups[person])) for person in people]
        return training_crops(train_samples, positions, rng), torch.from_numpy(people)

    def loss_fn(model: nn.Module, step: int) -> Tensor:
        assert isinstance(model, CosFaceHead)
        crops, people = batch_of(step)
        with torch.autocast("cpu", torch.bfloat16):
            embeddings = model.net(crops.contiguous(memory_format=torch.channels_last))
        share = min(1.0, step / max(1.0, _MARGIN_FROM_STEP * recipe.steps))
        return model.loss(embeddings.float(), people, model.margin * share)

    if not trainer.complete(loss_fn):
        return
    measure_norms(head.net, (batch_of(recipe.steps + i)[0] for i in range(_NORM_BATCHES)))
    ours = verification(embed(head.net, held_out).numpy(), held_out)
    theirs = verification(np.stack([sample.embedding for sample in held_out]), held_out)
    figures = {
        "identities": len(by_identity(held_out)),
        "images": len(held_out),
        **ours,
        "dlib_on_the_same": theirs,
    }
    print(figures)
    export(head.net, len(groups), len(train_samples), figures, runs / "embedder" / "model")


def export(net: FaceEmbedder, people: int, pictures: int, figures: dict[str, Any], folder: Path) -> None:
    """Write `embedder.onnx` and its card."""
    example = torch.rand(2, 3, CROP_PX, CROP_PX)
    write_onnx(net, example, folder / "embedder.onnx", ("embedding",), any_batch("embedding"))
    card = {
        "purpose": "Evaluation only: condition on nothing and train nothing with it.",
        "input": image_input(CROP_PX),
        "crop": box_crop_entry(BOX_SCALE, CROP_PX),
        "outputs": {"embedding": f"float32 (batch, {EMBEDDING}), L2-normalised; compare by cosine"},
        "mirrored": "The figures are for the normalised sum of a crop's embedding and its mirror image's.",
        "trained_on": {"identities": people, "images": pictures},
        "held_out": figures,
    }
    write_card(folder / "embedder.json", card)
