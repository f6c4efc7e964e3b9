"""Trains the net that makes a portrait twice as large, and writes it as ONNX.

Trained on 256 px portraits it learns 128 -> 256 and 64 -> 128; for 256 -> 512 give it a folder of 512 px ones
(`render --size 512`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from starter.data.manifest import Sample, held_out_part, read_manifest, training_part
from starter.data.portraits import read_rgb
from starter.data.restoration import enlarging_pairs
from starter.models.restore import RestoreNet
from starter.train.enhancer import export
from starter.train.loop import Recipe, Trainer, rng_of_step
from starter.train.restore_figures import likeness, psnr_db, restored
from starter.train.vae import reconstruction_loss

RECIPE = Recipe(steps=5000, batch=16, lr=1e-3, lr_end=2e-5, weight_decay=1e-4)
_TEST_PICTURES = 40
Image = NDArray[np.uint8]


def measure(net: RestoreNet, samples: Sequence[Sample]) -> dict[str, Any]:
    """PSNR of pictures made half as large and enlarged again, by the net and by Lanczos, and the likeness."""
    truth = [read_rgb(sample) for sample in samples[:: max(1, len(samples) // _TEST_PICTURES)]]
    size = truth[0].shape[0]
    halves = [_resized(image, size // 2, cv2.INTER_AREA) for image in truth]
    plain = [_resized(image, size, cv2.INTER_LANCZOS4) for image in halves]
    ours = restored(net, halves)
    return {
        "pictures": len(truth),
        "from_px": size // 2,
        "psnr_lanczos": round(psnr_db(plain, truth), 2),
        "psnr": round(psnr_db(ours, truth), 2),
        "before_is_lanczos": likeness(truth, plain, ours),
    }


def _resized(image: Image, size: int, method: int) -> Image:
    return np.asarray(cv2.resize(image, (size, size), interpolation=method), np.uint8)


def train(data: Path, runs: Path, steps: int | None = None) -> None:
    """Train on all identities that are not held out and write `runs/upscaler/model`."""
    recipe = RECIPE if steps is None else replace(RECIPE, steps=steps)
    samples = read_manifest(data)
    train_samples, held_out = training_part(samples), held_out_part(samples)
    torch.manual_seed(recipe.seed)
    net = RestoreNet(scale=2)
    trainer = Trainer(net, recipe, runs / "upscaler")
    trainer.resume()

    def loss_fn(model: nn.Module, step: int) -> Tensor:
        rng, _ = rng_of_step(recipe.seed, step)
        pairs = enlarging_pairs(train_samples, recipe.batch_here, rng)
        with torch.autocast("cpu", torch.bfloat16):
            output = model(pairs.spoiled.contiguous(memory_format=torch.channels_last))
        return reconstruction_loss(output.float() * 2, pairs.clean * 2, pairs.weights)

    if not trainer.complete(loss_fn):
        return
    figures = measure(net, held_out)
    print(figures)
    export(net, "upscaler", figures, runs / "upscaler" / "model")
