"""The translator: a U-Net that is small enough for video on a CPU."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTHS = (16, 32, 64, 96)
"""Channels at 1/2, 1/4, 1/8 and 1/16 of the picture's size."""

MULTIPLE = 16
"""Height and width must be divisible by this."""


def even(x: Tensor) -> Tensor:
    """Each pixel's channels scaled to a root mean square of 1.

    Without it activations grew a hundred-thousandfold in training, until the deep half of the net was dead.
    Per pixel, and not over the picture: a result must not depend on how much wall surrounds the figure.
    """
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-4)


class Block(nn.Module):
    """Two 3 x 3 convolutions beside a residual path."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape as *x*."""
        return x + self.second(F.silu(self.first(F.silu(even(x)))))


class ToonNet(nn.Module):
    """RGB (N, 3, H, W) in [0, 1] to RGB of the same shape, not clipped.

    Space is folded into channels (pixel unshuffle by 2) before the first convolution and unfolded after the
    last one: full-resolution convolutions would cost most of the time and see least. The net predicts a
    change to its input, so colours and places are right from the first step.
    """

    def __init__(self, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        steps = list(itertools.pairwise(widths))
        self.stem = nn.Conv2d(12, widths[0], 3, padding=1)
        self.downs = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in steps)
        self.down_blocks = nn.ModuleList(Block(b) for _, b in steps)
        self.middle = Block(widths[-1])
        self.ups = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in reversed(steps))
        self.joins = nn.ModuleList(nn.Conv2d(2 * a, a, 3, padding=1) for a, _ in reversed(steps))
        self.up_blocks = nn.ModuleList(Block(a) for a, _ in reversed(steps[1:]))
        self.head = nn.Conv2d(widths[0], 12, 3, padding=1)
        self._initialise()

    def _initialise(self) -> None:
        """Keep the signal's size through all layers (torch's default shrinks it); begin as the identity."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d) and module.bias is not None:
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)
        nn.init.zeros_(self.head.weight)

    def forward(self, image: Tensor) -> Tensor:
        """The drawing; height and width must be multiples of `MULTIPLE`."""
        x = self.stem(F.pixel_unshuffle(image * 2 - 1, 2))
        skips = [x]
        for down, block in zip(self.downs, self.down_blocks, strict=True):
            x = block(down(F.silu(even(x))))
            skips.append(x)
        x = self.middle(skips.pop())
        for level, (up, join) in enumerate(zip(self.ups, self.joins, strict=True)):
            x = F.interpolate(up(even(x)), scale_factor=2.0, mode="nearest")
            x = join(F.silu(torch.cat([x, skips.pop()], 1)))
            if level < len(self.up_blocks):
                x = self.up_blocks[level](x)
        change: Tensor = F.pixel_shuffle(self.head(F.silu(even(x))), 2)
        return image + change


def parameter_count(net: nn.Module) -> int:
    """Number of weights."""
    return sum(p.numel() for p in net.parameters())
