"""Layers that the small nets share."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn


class ConvNorm(nn.Sequential):
    """3x3 convolution, batch normalisation, and ReLU if `active`.

    Batch normalisation because it disappears into the convolution when the net is exported; group
    normalisation took a third of the run time of a net of this size.
    """

    def __init__(self, width_in: int, width_out: int, stride: int = 1, active: bool = True) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(width_in, width_out, 3, stride, 1, bias=False),
            nn.BatchNorm2d(width_out),
        ]
        super().__init__(*layers, *([nn.ReLU()] if active else []))


class Residual(nn.Module):
    """Two 3x3 convolutions around a shortcut (He et al., "Deep residual learning", 2015)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = ConvNorm(width, width)
        self.second = ConvNorm(width, width, active=False)

    def forward(self, x: Tensor) -> Tensor:
        """Features (B, width, h, w) of the same shape."""
        return torch.relu(x + self.second(self.first(x)))


class Stage(nn.Sequential):
    """Halves the map, then `blocks` residual blocks."""

    def __init__(self, width_in: int, width_out: int, blocks: int) -> None:
        super().__init__(ConvNorm(width_in, width_out, 2), *(Residual(width_out) for _ in range(blocks)))


@torch.no_grad()
def measure_norms(model: nn.Module, batches: Iterable[Tensor]) -> None:
    """Set the statistics of all batch normalisations to their mean over `batches`; needed after training.

    The running statistics belong to the last weights, not to their average, and no checkpoint keeps them
    (Wu and Johnson, "Rethinking Batch in BatchNorm", arXiv 2105.07576).
    """
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    usual = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all batches
    model.train()
    for batch in batches:
        model(batch)
    for norm, momentum in zip(norms, usual, strict=True):
        norm.momentum = momentum
    model.eval()
