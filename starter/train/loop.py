"""The training loop that every model of the starter pack uses.

A batch is a function of the seed and the step alone, and a checkpoint holds weights, average and
optimiser state; so a run that was killed goes on to the same weights as one that was not.
"""

from __future__ import annotations

import json
import math
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from starter.train.muon import MuonWithAdamW, is_hidden_matrix
from starter.train.parallel import average_gradients, rank, world

CHECKPOINT = "checkpoint.safetensors"
_STATE_KEYS = ("step", "exp_avg", "exp_avg_sq", "momentum")
LossFn = Callable[[nn.Module, int], Tensor]
"""(model, step) -> scalar loss; must draw its randomness from `rng_of_step`."""


@dataclass(frozen=True)
class Recipe:
    """How long and how fast to train.

    Attributes:
        steps: optimiser steps in total; the learning rate falls along a cosine from `lr` to `lr_end`.
        cooldown: share of the steps, at the end, in which the rate falls; before it stays at `lr`. Such a run
            can be lengthened at any time before (Hägele et al., "Scaling laws and compute-optimal training
            beyond fixed training durations", arXiv 2405.18392). 1: the cosine, over all steps.
        ema_decay: decay per step of the averaged weights, reached after a warm-up.
        checkpoint_every_s: wall time between checkpoints.
        uses_muon: Muon instead of AdamW for matrices and convolutions; pays from batches of about 32 on.
        by_adamw: names of matrices that AdamW updates even so: tables of classes, whose rows have little to
            do with each other.
    """

    steps: int
    lr: float
    lr_end: float
    batch: int
    warmup_steps: int = 200
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    ema_decay: float = 0.999
    checkpoint_every_s: float = 300.0
    seed: int = 0
    uses_muon: bool = False
    by_adamw: tuple[str, ...] = ()
    cooldown: float = 1.0

    @property
    def batch_here(self) -> int:
        """Rows of a batch that this process computes."""
        return self.batch // world()

    def lr_at(self, step: int) -> float:
        """Learning rate of a step, counted from 0."""
        if step < self.warmup_steps:
            return self.lr * (step + 1) / self.warmup_steps
        falling = self.cooldown * max(1, self.steps - self.warmup_steps)
        done = min(1.0, max(0.0, 1 - (self.steps - step) / falling))
        if self.cooldown < 1:
            return self.lr - (self.lr - self.lr_end) * math.sqrt(done)
        return self.lr_end + (self.lr - self.lr_end) * 0.5 * (1 + math.cos(math.pi * done))

    def ema_at(self, step: int) -> float:
        """Decay of the averaged weights at a step."""
        return min(self.ema_decay, (1 + step) / (10 + step))


def rng_of_step(seed: int, step: int) -> tuple[np.random.Generator, torch.Generator]:
    """Random generators that depend on seed, step and the number of the training process only."""
    numpy_rng = np.random.default_rng((seed, step, rank()))
    return numpy_rng, torch.Generator().manual_seed(int(numpy_rng.integers(2**62)))


class _StopSignal:
    """Remembers SIGTERM and SIGINT instead of dying, so that a checkpoint can be written first."""

    def __init__(self) -> None:
        self.received = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._receive)

    def _receive(self, *_: object) -> None:
        self.received = True


def _optimizer(named: Mapping[str, Tensor], recipe: Recipe) -> torch.optim.Optimizer:
    parameters = list(named.values())
    if recipe.uses_muon:
        matrices = [p for name, p in named.items() if is_hidden_matrix(p) and name not in recipe.by_adamw]
        return MuonWithAdamW(parameters, matrices, recipe.lr, recipe.betas, recipe.weight_decay)
    # The fused form is several times faster than the looped one on a CPU.
    return torch.optim.AdamW(
        parameters, lr=recipe.lr, betas=recipe.betas, weight_decay=recipe.weight_decay, fused=True
    )


class Trainer:
    """Trains one module; `folder` holds its checkpoint and log."""

    def __init__(self, model: nn.Module, recipe: Recipe, folder: Path) -> None:
        self.model = model
        self.recipe = recipe
        self.folder = folder
        self.step = 0
        self.stop = _StopSignal()
        self.parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self.average = {name: p.detach().clone() for name, p in self.parameters.items()}
        self.optimizer = _optimizer(self.parameters, recipe)
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def checkpoint_path(self) -> Path:
        """The newest checkpoint; replaced atomically."""
        return self.folder / CHECKPOINT

    def save(self) -> None:
        """Write weights, average and optimiser state."""
        tensors = {f"model.{name}": p.detach() for name, p in self.parameters.items()}
        tensors |= {f"average.{name}": p for name, p in self.average.items()}
        for name, parameter in self.parameters.items():
            for key, value in self.optimizer.state.get(parameter, {}).items():
                tensors[f"optimizer.{key}.{name}"] = value
        if rank() != 0:
            return
        partial = self.checkpoint_path.with_suffix(".partial")
        save_file({k: v.contiguous() for k, v in tensors.items()}, partial, {"step": str(self.step)})
        partial.replace(self.checkpoint_path)

    def resume(self) -> bool:
        """Continue from the checkpoint if there is one; returns whether there was."""
        if not self.checkpoint_path.exists():
            return False
        with safe_open(self.checkpoint_path, "pt") as file:
            self.step = int(file.metadata()["step"])
            stored = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(stored[f"model.{name}"])
                self.average[name].copy_(stored[f"average.{name}"])
                found = ((key, f"optimizer.{key}.{name}") for key in _STATE_KEYS)
                self.optimizer.state[parameter] = {key: stored[k] for key, k in found if k in stored}
        return True

    def load_average(self) -> None:
        """Put the averaged weights into the model (before evaluation or packing)."""
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(self.average[name])

    def run(self, loss_fn: LossFn, report_every: int = 50, until: int | None = None) -> bool:
        """Train to step `until` (default: the recipe's last); save at the end, now and then, and on SIGTERM.

        Returns False if SIGTERM or Ctrl-C stopped the training early.
        """
        last = self.recipe.steps if until is None else min(until, self.recipe.steps)
        self.model.train()
        saved_at = reported_at = time.monotonic()
        losses: list[float] = []
        while self.step < last and not self.stop.received:
            losses.append(self._advance(loss_fn))
            now = time.monotonic()
            if self.step % report_every == 0 and rank() == 0:
                self._report(float(np.mean(losses)), len(losses) * self.recipe.batch / (now - reported_at))
                reported_at, losses = now, []
            if now - saved_at > self.recipe.checkpoint_every_s:
                self.save()
                saved_at = now
        self.save()
        return not self.stop.received

    def complete(self, loss_fn: LossFn) -> bool:
        """Train to the last step and put the averaged weights into the model.

        Returns whether this process is the one to measure and write them: the first, unless it was stopped.
        """
        if not self.run(loss_fn) or rank() > 0:
            return False
        self.load_average()
        return True

    def _advance(self, loss_fn: LossFn) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.lr_at(self.step)
        # The backward pass of the fused CPU attention takes a third of a UNet step.
        with sdpa_kernel(SDPBackend.MATH):
            loss = loss_fn(self.model, self.step)
            loss.backward()
        self.stop.received = average_gradients(list(self.parameters.values()), self.stop.received)
        nn.utils.clip_grad_norm_(list(self.parameters.values()), self.recipe.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        current = [p.detach() for p in self.parameters.values()]
        torch._foreach_lerp_(list(self.average.values()), current, 1 - self.recipe.ema_at(self.step))
        self.step += 1
        return float(loss.detach())

    def _report(self, loss: float, samples_per_s: float) -> None:
        left_min = (self.recipe.steps - self.step) * self.recipe.batch / samples_per_s / 60
        print(
            f"step {self.step}/{self.recipe.steps}  loss {loss:.4f}  {samples_per_s:.1f} samples/s  "
            f"{left_min:.0f} min left",
            flush=True,
        )
        line = {"step": self.step, "loss": round(loss, 5), "samples_per_s": round(samples_per_s, 1)}
        with (self.folder / "log.jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")
