"""AdamW with a warm-up and a cosine, and its state as plain tensors."""

from __future__ import annotations

import math

import torch

from services.lora_training.domain.recipe import Recipe

_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


class Optimiser:
    """Updates named parameters; the rate of a step depends on the step's number alone."""

    def __init__(self, parameters: dict[str, torch.nn.Parameter], recipe: Recipe) -> None:
        """Args: parameters: by file key, in a fixed order. recipe: gives rate, decay, clipping and length."""
        self._parameters = parameters
        self._recipe = recipe
        self._adamw = torch.optim.AdamW(
            parameters.values(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
        )

    def apply(self, step: int) -> None:
        """Clip the gradients, update the parameters as step number `step` (from 0), clear the gradients."""
        torch.nn.utils.clip_grad_norm_(self._parameters.values(), self._recipe.max_grad_norm)
        for group in self._adamw.param_groups:
            group["lr"] = self._recipe.learning_rate * rate_factor(step, self._recipe)
        self._adamw.step()
        self._adamw.zero_grad(set_to_none=True)

    def moments(self) -> dict[str, torch.Tensor]:
        """Return copies of the state as "<key>/<name>"; empty before the first step."""
        return {
            f"{key}/{name}": self._adamw.state[parameter][name].clone()
            for key, parameter in self._parameters.items()
            if parameter in self._adamw.state
            for name in _MOMENTS
        }

    def restore(self, moments: dict[str, torch.Tensor]) -> None:
        """Take over what `moments` of an equal run returned."""
        for key, parameter in self._parameters.items():
            self._adamw.state[parameter] = {name: moments[f"{key}/{name}"].clone() for name in _MOMENTS}


def rate_factor(step: int, recipe: Recipe) -> float:
    """Return the share of the peak rate at `step` (from 0): linear warm-up, then half a cosine."""
    warmup = round(recipe.steps * recipe.warmup_share)
    if step < warmup:
        return (step + 1) / (warmup + 1)
    progress = (step - warmup) / max(recipe.steps - warmup, 1)
    return 0.5 * (1 + math.cos(math.pi * progress))
