"""The training loop: a step is a function of (seed, step), so that a resumed run goes on where it was."""

from __future__ import annotations

import copy
import math
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from starter.train_stylizer import checkpoint
from starter.train_stylizer.backgrounds import Image
from starter.train_stylizer.losses import drawing_loss
from starter.train_stylizer.net import ToonNet
from starter.train_stylizer.pairs import Pair, PairSampler


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the weights, next to the pairs."""

    step_count: int = 6000
    batch_size: int = 4
    crop_px: int = 128
    learning_rate: float = 2e-3
    weight_decay: float = 1e-3
    warm_up_steps: int = 50
    ema_decay: float = 0.99
    seed: int = 7


def rate_at(step: int, recipe: Recipe) -> float:
    """Learning rate: linear warm-up, then a half cosine down to 2 %."""
    if step < recipe.warm_up_steps:
        return recipe.learning_rate * (step + 1) / recipe.warm_up_steps
    done = (step - recipe.warm_up_steps) / max(recipe.step_count - recipe.warm_up_steps, 1)
    return recipe.learning_rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(done, 1.0))))


def train(pairs: list[Pair], runs: Path, recipe: Recipe, *, save_every_s: float = 60.0) -> ToonNet:
    """Train, or go on from RUNS/last.safetensors; returns the averaged weights.

    Prints step, loss and speed every 50 steps. The loop may be killed at any time: at most *save_every_s*
    is lost.
    """
    torch.manual_seed(recipe.seed)
    net = ToonNet()
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    ema = copy.deepcopy(net).requires_grad_(False)
    optimiser = torch.optim.AdamW(net.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay)
    last = runs / "last.safetensors"
    start = checkpoint.load(last, net, ema, optimiser) if last.exists() else 0
    mean_loss, saved_at, began = 0.0, time.monotonic(), time.monotonic()
    for step, (renders, drawings) in _batches(pairs, recipe, start):
        optimiser.param_groups[0]["lr"] = rate_at(step, recipe)
        with torch.autocast("cpu", torch.bfloat16):
            made = net(_planes(renders))
        loss = drawing_loss(made.float(), _planes(drawings))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 0.3)
        optimiser.step()
        _average(ema, net, min(recipe.ema_decay, (step + 1) / (step + 10)))
        mean_loss += (float(loss.detach()) - mean_loss) / min(step - start + 1, 50)
        if (step + 1) % 50 == 0:
            speed = (step + 1 - start) / (time.monotonic() - began)
            print(f"step {step + 1}/{recipe.step_count} loss {mean_loss:.4f} {speed:.2f} steps/s", flush=True)
        if time.monotonic() - saved_at > save_every_s:
            checkpoint.save(last, net, ema, optimiser, step + 1)
            saved_at = time.monotonic()
    checkpoint.save(last, net, ema, optimiser, max(recipe.step_count, start))
    return ema


def _batches(pairs: list[Pair], recipe: Recipe, start: int) -> Iterator[tuple[int, tuple[Image, Image]]]:
    """Numbered batches, made one ahead in a thread."""
    sampler = PairSampler(pairs, crop_px=recipe.crop_px, seed=recipe.seed)
    ready: queue.Queue[tuple[int, tuple[Image, Image]] | None] = queue.Queue(maxsize=3)

    def fill() -> None:
        for step in range(start, recipe.step_count):
            sampler.reseed(recipe.seed * 1_000_003 + step)
            ready.put((step, sampler.batch(recipe.batch_size)))
        ready.put(None)

    threading.Thread(target=fill, daemon=True).start()
    while (item := ready.get()) is not None:
        yield item


def _planes(images: Image) -> Tensor:
    planes = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float() / 255
    return planes.contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def _average(ema: ToonNet, net: ToonNet, decay: float) -> None:
    for averaged, current in zip(ema.parameters(), net.parameters(), strict=True):
        averaged.lerp_(current, 1 - decay)
