"""Trains the part reader of whole portraits on from the structure net, for that task alone.

Late injection and whoever else needs the parts of a portrait asks for no landmarks and cuts out no head:
freed of both, the same net reads the parts of a portrait better.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from starter.data.manifest import held_out_part, read_manifest, training_part
from starter.data.structure import PORTRAIT_PX, Cut, StructureBatch, training_batch
from starter.models.blocks import measure_norms
from starter.models.structure import PartsOnly
from starter.onnx_files import image_input, write_card, write_onnx
from starter.train.loop import Recipe, Trainer, rng_of_step
from starter.train.structure import NORM_BATCHES, PARTS, first_net, part_loss
from starter.train.structure_figures import parser_figures

RECIPE = Recipe(
    steps=1100, batch=16, lr=8e-4, lr_end=1e-5, warmup_steps=100, weight_decay=0.02, uses_muon=True
)
_DISTURBED = 0.5
"""Share of the crops with another background or camera: most of what it reads was drawn, not photographed."""
_TURNS: tuple[Cut, ...] = ("whole", "window")


def train(data: Path, runs: Path, steps: int | None = None, start: Path | None = None) -> None:
    """Train on all identities that are not held out; write `runs/parser/model`.

    start: folder of the structure net that a new run starts from; `runs/structure/model` if none is named.
    Raises: FileNotFoundError if that net is not there.
    """
    recipe = RECIPE if steps is None else replace(RECIPE, steps=steps)
    samples = read_manifest(data)
    train_samples, held_out = training_part(samples), held_out_part(samples)
    run, start = runs / "parser", start or runs / "structure" / "model"
    net = first_net(run, start, train_samples, "window", recipe.seed)
    for unused in (net.heat.weight, net.heat.bias, net.visible):
        assert unused is not None
        unused.requires_grad_(False)
    parser = PartsOnly(net)
    trainer = Trainer(parser, recipe, run)
    trainer.resume()

    def batch_of(step: int) -> StructureBatch:
        rng, _ = rng_of_step(recipe.seed, step)
        kind = _TURNS[step % len(_TURNS)]
        return training_batch(train_samples, recipe.batch_here, kind, rng, _DISTURBED)

    def loss_fn(model: nn.Module, step: int) -> Tensor:
        batch = batch_of(step)
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(batch.images.contiguous(memory_format=torch.channels_last))
        return part_loss(logits.float(), batch.parts)

    if not trainer.complete(loss_fn):
        return
    measure_norms(parser, (batch_of(recipe.steps + i).images for i in range(NORM_BATCHES)))
    figures = parser_figures(parser, held_out, PARTS)
    print(figures)
    export(parser, figures, run / "model")


def export(parser: PartsOnly, held_out: dict[str, object], folder: Path) -> None:
    """Write `parser.onnx` and its card."""
    write_onnx(parser, torch.rand(1, 3, PORTRAIT_PX, PORTRAIT_PX), folder / "parser.onnx", ("parts",))
    write_card(
        folder / "parser.json",
        {
            "input": image_input(PORTRAIT_PX, batch=1),
            "crop": "none: a whole portrait, made smaller by area averaging",
            "outputs": {"parts": f"float32 (1, labels, {PORTRAIT_PX}, {PORTRAIT_PX}), logits"},
            "labels": list(PARTS),
            "held_out": held_out,
        },
    )
