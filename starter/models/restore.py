"""Restores a picture, at its own size or twice as large: what a plain resampling of it lacks.

Four pixels a side are folded into channels first and unfolded last (Shi et al., "Real-time single image and
video super-resolution using an efficient sub-pixel convolutional neural network", arXiv 1609.05158), so that
no layer runs at full resolution. No normalisation: it would change the colours.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FOLD = 4
MULTIPLE = 8
"""Sides of a picture must be multiples of this."""


class _Block(nn.Module):
    """Two 3x3 convolutions around a shortcut; the second starts at zero, so that it begins as nothing."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, 1, 1)
        self.second = nn.Conv2d(width, width, 3, 1, 1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.second(torch.relu(self.first(x)))
        return x + y


class RestoreNet(nn.Module):
    """A two-level residual net; `scale` is how much larger the output is."""

    def __init__(
        self, scale: int, widths: tuple[int, int] = (56, 88), blocks: tuple[int, int] = (2, 3)
    ) -> None:
        super().__init__()
        self.scale = scale
        fine, coarse = widths
        self.stem = nn.Conv2d(3 * FOLD**2, fine, 3, 1, 1)
        self.down = nn.Sequential(*(_Block(fine) for _ in range(blocks[0])))
        self.coarse = nn.Sequential(
            nn.Conv2d(fine, coarse, 3, 2, 1),
            *(_Block(coarse) for _ in range(blocks[1])),
            nn.Conv2d(coarse, 4 * fine, 1),
        )
        self.up = nn.Sequential(*(_Block(fine) for _ in range(blocks[0])))
        self.last = nn.Conv2d(fine, 3 * (FOLD * scale) ** 2, 3, 1, 1)
        for tensor in self.last.parameters():
            nn.init.zeros_(tensor)

    def forward(self, images: Tensor) -> Tensor:
        """RGB float32 (B, 3, H, W) in [0, 1] -> (B, 3, scale * H, scale * W), about in [0, 1]."""
        features = self.down(self.stem(F.pixel_unshuffle(images * 2 - 1, FOLD)))
        features = self.up(features + F.pixel_shuffle(self.coarse(features), 2))
        details = F.pixel_shuffle(self.last(features), FOLD * self.scale)
        if self.scale > 1:
            images = F.interpolate(
                images, scale_factor=float(self.scale), mode="bilinear", align_corners=False
            )
        return images + details


class Clipped(nn.Module):
    """The net as it is shipped: its output stays in [0, 1]."""

    def __init__(self, net: RestoreNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, images: Tensor) -> Tensor:
        """See `RestoreNet.forward`."""
        restored: Tensor = self.net(images)
        return restored.clamp(0, 1)
