"""One net that reads the structure of a head: which part each pixel shows, and where dense landmarks are.

Both answers want the same features, so that one trunk serves both. Two pixels a side are folded into
channels first, because a full-resolution layer would cost more than the rest together.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from starter.models.blocks import ConvNorm, Residual, Stage

FOLD = 2
MULTIPLE = 16
"""Sides of the input must be multiples of this."""


class StructureNet(nn.Module):
    """A U-Net on folded pixels with a head for parts and one for landmarks."""

    def __init__(
        self, parts: int, landmarks: int, widths: tuple[int, int, int, int] = (24, 64, 112, 160)
    ) -> None:
        super().__init__()
        fine, middle, coarse, deep = widths
        self.stem = ConvNorm(3 * FOLD**2, fine)
        self.down = nn.ModuleList([Stage(fine, middle, 1), Stage(middle, coarse, 2), Stage(coarse, deep, 2)])
        self.side = nn.ModuleList([nn.Conv2d(deep, coarse, 1), nn.Conv2d(coarse, middle, 1)])
        self.up = nn.ModuleList([Residual(coarse), Residual(middle)])
        self.to_fine = nn.Conv2d(middle, fine, 1)
        self.fine = ConvNorm(fine, fine)
        self.parts = nn.Conv2d(fine, parts * FOLD**2, 1)
        self.heat = nn.Conv2d(middle, landmarks, 1)
        self.visible = nn.Parameter(torch.zeros(landmarks, middle + 1))
        # The pixels of a cell start alike: else answers are chequered (Aitken et al., arXiv 1707.02937).
        for parameter in self.parts.parameters():
            groups = parameter.data.unflatten(0, (parts, FOLD**2))
            groups.copy_(groups[:, :1].clone().expand_as(groups))

    def features(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """RGB (B, 3, S, S) in [0, 1] -> features at S/2 and at S/4."""
        fine = self.stem(F.pixel_unshuffle(images * 2 - 1, FOLD))
        middle = self.down[0](fine)
        coarse = self.down[1](middle)
        deep = self.down[2](coarse)
        coarse = self.up[0](coarse + F.interpolate(self.side[0](deep), scale_factor=2.0, mode="nearest"))
        middle = self.up[1](middle + F.interpolate(self.side[1](coarse), scale_factor=2.0, mode="nearest"))
        wide = F.interpolate(self.to_fine(middle), scale_factor=2.0, mode="bilinear", align_corners=False)
        return self.fine(fine + wide), middle

    def part_logits(self, fine: Tensor) -> Tensor:
        """Features at S/2 -> logits (B, parts, S, S)."""
        return F.pixel_shuffle(self.parts(fine), FOLD)

    def read_landmarks(self, middle: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features at S/4 -> places (B, K, 2) in [0, 1], visibility logits (B, K), log heat (B, K, S/4, S/4).

        A place is the mean of its heat map (soft-argmax); its visibility is read from the features there.
        """
        # In full precision: half a percent of a place is a tenth of what an error may be.
        with torch.autocast("cpu", enabled=False):
            middle = middle.float()
            scores = self.heat(middle).flatten(2)
            heat = scores.softmax(-1)
            rows, columns = middle.shape[-2:]
            xs = (torch.arange(columns) + 0.5) / columns
            ys = (torch.arange(rows) + 0.5) / rows
            grid = torch.stack([xs.repeat(rows), ys.repeat_interleave(columns)], 1)
            there = heat @ middle.flatten(2).transpose(1, 2)
            logits = (there * self.visible[:, :-1]).sum(-1) + self.visible[:, -1]
            return heat @ grid, logits, scores.log_softmax(-1).unflatten(-1, (rows, columns))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """RGB float32 (B, 3, S, S) in [0, 1] -> part logits, landmark places in [0, 1], visibility logits."""
        fine, middle = self.features(images)
        places, visible, _ = self.read_landmarks(middle)
        return self.part_logits(fine), places, visible


class PartsOnly(nn.Module):
    """The part reader alone, for users who need no landmarks."""

    def __init__(self, net: StructureNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, images: Tensor) -> Tensor:
        """RGB float32 (B, 3, S, S) in [0, 1] -> part logits (B, parts, S, S)."""
        return self.net.part_logits(self.net.features(images)[0])
