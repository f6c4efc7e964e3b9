"""Makes a UNet say, while it is trained, which part of the head each cell of its picture belongs to.

Features that agree with those of a network that understands pictures let a denoiser learn several times
faster (Yu et al., "Representation alignment for generation", arXiv 2410.06940). The renderer's part map is
such an understanding, and a better one than any network's. Used in training alone; packed models lack it.
"""

from __future__ import annotations

from typing import Any

from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from starter.data.parts import Part


class PartReader(nn.Module):
    """A linear classifier on the UNet's features one block before its output."""

    def __init__(self, unet: UNet2DConditionModel) -> None:
        super().__init__()
        block = unet.up_blocks[-2]
        self.classify = nn.Conv2d(block.resnets[-1].out_channels, len(Part), 1)
        self._features: Tensor | None = None
        block.register_forward_hook(self._keep)

    def _keep(self, _module: nn.Module, _inputs: Any, features: Tensor) -> None:
        self._features = features if self.training else None

    def loss(self, shares: Tensor, weights: Tensor) -> Tensor:
        """Cross-entropy of the last forward pass in training; shares (B, K, h, w), weights (B, 1, h, w)."""
        assert self._features is not None, "needs a forward pass in training mode"
        logs = self.classify(self._features.float()).log_softmax(1)
        self._features = None
        return -(weights * shares * logs).sum(1).mean()
