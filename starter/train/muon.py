"""Muon for the matrices of a network, AdamW for everything else.

Muon (Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024) replaces the momentum of
a matrix by the nearest orthogonal one, so that all of its directions learn at the same speed. The scale
0.2 * sqrt(max(rows, columns)) (Liu et al., "Muon is scalable for LLM training", arXiv 2502.16982) gives
updates the size of AdamW's, so both share one learning rate and weight decay. A convolution counts as the
matrix [out, in * kh * kw].
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor
from torch.optim import Optimizer

from starter.train.parallel import each_once

_QUINTIC = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5
_SMALLEST_SIDE = 32


def orthogonalised(matrix: Tensor) -> Tensor:
    """The nearest matrix with singular values of about one (0.7 to 1.2), bfloat16; [m, n] as given.

    Newton-Schulz iteration with the coefficients of the Muon authors.
    """
    a, b, c = _QUINTIC
    x = matrix.bfloat16()
    is_tall = x.shape[0] > x.shape[1]
    if is_tall:
        x = x.mT
    x = x / (x.norm() + 1e-7)
    for _ in range(_ITERATIONS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if is_tall else x


def is_hidden_matrix(parameter: Tensor) -> bool:
    """Whether Muon is for this parameter: a matrix or convolution with two large sides."""
    if parameter.ndim < 2:
        return False
    return min(parameter.shape[0], parameter[0].numel()) >= _SMALLEST_SIDE


class MuonWithAdamW(Optimizer):
    """One optimiser for all `parameters`; `matrices` are those among them that Muon updates.

    State per matrix: `momentum`; per other parameter: `step`, `exp_avg`, `exp_avg_sq`.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        matrices: Iterable[Tensor],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.01,
        momentum: float = 0.95,
    ) -> None:
        by_muon = list(matrices)
        ids = {id(p) for p in by_muon}
        rest = [p for p in parameters if id(p) not in ids]
        groups = [{"params": by_muon, "is_muon": True}, {"params": rest, "is_muon": False}]
        defaults = {"lr": lr, "betas": betas, "weight_decay": weight_decay, "momentum": momentum}
        super().__init__([group for group in groups if group["params"]], defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient."""
        for group in self.param_groups:
            moved = [parameter for parameter in group["params"] if parameter.grad is not None]
            for parameter in moved:
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
            if group["is_muon"]:
                self._muon(moved, group)
            else:
                for parameter in moved:
                    self._adamw(parameter, parameter.grad, group)

    def _muon(self, parameters: Sequence[Tensor], group: dict[str, float]) -> None:
        nesterov = [self._nesterov(parameter, group["momentum"]) for parameter in parameters]
        # A third of a step of the generator: worth sharing out among the processes.
        steps = each_once(orthogonalised, nesterov, [min(m.shape) * m.numel() for m in nesterov])
        for parameter, step in zip(parameters, steps, strict=True):
            scale = 0.2 * max(step.shape) ** 0.5
            parameter.add_(step.view_as(parameter).to(parameter.dtype), alpha=-group["lr"] * scale)

    def _nesterov(self, parameter: Tensor, momentum: float) -> Tensor:
        """Takes in the gradient; returns the direction to move against, as a matrix."""
        assert parameter.grad is not None
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        state["momentum"].lerp_(parameter.grad, 1 - momentum)
        return parameter.grad.lerp(state["momentum"], momentum).flatten(1)

    def _adamw(self, parameter: Tensor, gradient: Tensor, group: dict[str, tuple[float, float]]) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.zeros(())
            state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        first, second = group["betas"]
        state["step"] += 1
        count = float(state["step"])
        state["exp_avg"].lerp_(gradient, 1 - first)
        state["exp_avg_sq"].lerp_(gradient.square(), 1 - second)
        scale = (state["exp_avg_sq"] / (1 - second**count)).sqrt_().add_(1e-8)
        parameter.addcdiv_(state["exp_avg"], scale, value=-group["lr"] / (1 - first**count))  # type: ignore[operator]
