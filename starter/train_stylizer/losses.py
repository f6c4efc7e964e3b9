"""How far a drawing is from its target."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

# Lightness, red-green and blue-yellow of gamma RGB: a linear stand-in for CIE LAB that costs nothing.
_OPPONENT = torch.tensor([[0.30, 0.59, 0.11], [0.50, -0.50, 0.00], [0.25, 0.25, -0.50]])


def drawing_loss(made: Tensor, target: Tensor) -> Tensor:
    """How far a drawing is from its target, over pixels, edges and patches.

    Absolute error for flat areas; squared error for outlines, which are thin and far off where they lack;
    absolute error of the gradients for crispness; and of the opponent colours of 8 x 8 patches, as flat
    colour is what a viewer sees first.

    Args:
        made: (N, 3, H, W), nominally in [0, 1].
        target: same shape.
    """
    error = made - target
    pixels = error.abs().mean() + 4.0 * error.square().mean()
    edges = error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
    patches = torch.einsum("oc,nchw->nohw", _OPPONENT.to(error), F.avg_pool2d(error, 8)).abs().mean()
    return pixels + 0.4 * edges + 0.5 * patches
