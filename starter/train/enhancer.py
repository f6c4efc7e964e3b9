"""Trains the enhancer, which undoes blur, noise, JPEG and the autoencoder's softness; writes it as ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from starter.data.degrade import DEGRADATIONS
from starter.data.manifest import Sample, held_out_part, read_manifest, training_part
from starter.data.portraits import read_rgb
from starter.data.reconstructions import Reconstructions, load_reconstructions
from starter.data.restoration import enhancing_pairs
from starter.models.restore import MULTIPLE, Clipped, RestoreNet
from starter.onnx_files import image_input, write_card, write_onnx
from starter.train.loop import Recipe, Trainer, rng_of_step
from starter.train.restore_figures import likeness, psnr_db, restored
from starter.train.vae import reconstruction_loss

RECIPE = Recipe(steps=6000, batch=12, lr=1e-3, lr_end=2e-5, weight_decay=1e-4)
RECONSTRUCTIONS, HELD_OUT_RECONSTRUCTIONS = 1200, 150
CLEAN_ENOUGH = 0.15
"""Reconstructions of latents more spoiled than this are not restored but rejected by the quality net."""
_TESTS = (("blur", 0.2), ("compression", 0.6), ("noise", 0.2))
_TEST_PICTURES = 40


def usable(made: Reconstructions) -> Reconstructions:
    """Those whose features are still where they belong."""
    keep = made.spoiled <= CLEAN_ENOUGH
    return Reconstructions(made.positions[keep], made.images[keep], made.spoiled[keep])


def measure(net: RestoreNet, samples: Sequence[Sample], made: Reconstructions) -> dict[str, Any]:
    """PSNR and likeness before and after, for each kind of damage and for clean pictures."""
    chosen = samples[:: max(1, len(samples) // _TEST_PICTURES)]
    clean = [read_rgb(sample) for sample in chosen]
    rng = np.random.default_rng(0)
    sets = {name: (clean, [DEGRADATIONS[name](image, s, rng) for image in clean]) for name, s in _TESTS}
    softened = [
        np.ascontiguousarray(image.permute(1, 2, 0).numpy()) for image in made.images[:_TEST_PICTURES]
    ]
    originals = [read_rgb(samples[int(i)]) for i in made.positions[:_TEST_PICTURES]]
    sets |= {"reconstruction": (originals, softened), "none": (clean, clean)}
    figures: dict[str, Any] = {"pictures": len(clean)}
    for name, (truth, before) in sets.items():
        after = restored(net, before)
        figures[name] = {
            "psnr_before": round(psnr_db(before, truth), 2) if name != "none" else None,
            "psnr_after": round(psnr_db(after, truth), 2),
            **likeness(truth, before, after),
        }
    return figures


def train(data: Path, runs: Path, steps: int | None = None) -> None:
    """Train on all identities that are not held out and write `runs/enhancer/model`."""
    recipe = RECIPE if steps is None else replace(RECIPE, steps=steps)
    samples = read_manifest(data)
    train_samples, held_out = training_part(samples), held_out_part(samples)
    folder = runs / "enhancer"
    made = usable(load_reconstructions(train_samples, runs, folder / "made.safetensors", RECONSTRUCTIONS))
    torch.manual_seed(recipe.seed)
    net = RestoreNet(scale=1)
    trainer = Trainer(net, recipe, folder)
    trainer.resume()

    def loss_fn(model: nn.Module, step: int) -> Tensor:
        rng, _ = rng_of_step(recipe.seed, step)
        pairs = enhancing_pairs(train_samples, made, recipe.batch_here, rng)
        with torch.autocast("cpu", torch.bfloat16):
            output = model(pairs.spoiled.contiguous(memory_format=torch.channels_last))
        return reconstruction_loss(output.float() * 2, pairs.clean * 2, pairs.weights)

    if not trainer.complete(loss_fn):
        return
    unseen = load_reconstructions(
        held_out, runs, folder / "made_held_out.safetensors", HELD_OUT_RECONSTRUCTIONS
    )
    figures = measure(net, held_out, usable(unseen))
    print(figures)
    export(net, "enhancer", figures, folder / "model")


def export(net: RestoreNet, name: str, figures: dict[str, Any], folder: Path) -> None:
    """Write `NAME.onnx` and its card."""
    axes = {0: "batch", 2: "height", 3: "width"}
    example = torch.rand(1, 3, 8 * MULTIPLE, 8 * MULTIPLE)
    write_onnx(
        Clipped(net), example, folder / f"{name}.onnx", ("restored",), {"image": axes, "restored": axes}
    )
    card = {
        "input": image_input("any"),
        "multiple": MULTIPLE,
        "scale": net.scale,
        "outputs": {"restored": f"float32 (batch, 3, {net.scale} H, {net.scale} W), RGB in [0, 1]"},
        "held_out": figures,
    }
    write_card(folder / f"{name}.json", card)
