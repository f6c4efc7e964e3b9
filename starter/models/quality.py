"""Judges the technical quality of a face crop, and says what is wrong with it."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from starter.models.blocks import ConvNorm, Residual, Stage

FOLD = 4


class QualityNet(nn.Module):
    """A residual net whose means and maxima over the picture are weighed: one bad eye is enough."""

    def __init__(self, defects: int, widths: tuple[int, int, int, int] = (48, 72, 96, 112)) -> None:
        super().__init__()
        self.stem = nn.Sequential(ConvNorm(3 * FOLD**2, widths[0]), Residual(widths[0]))
        self.stages = nn.Sequential(*(Stage(a, b, 1) for a, b in pairwise(widths)))
        self.mix = nn.Sequential(nn.Linear(2 * widths[-1], 96), nn.ReLU())
        self.quality = nn.Linear(96, 1)
        self.defects = nn.Linear(96, defects)

    def logits(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """RGB (B, 3, S, S) in [0, 1] -> logits of the quality (B,) and of the defects (B, D)."""
        features = self.stages(self.stem(F.pixel_unshuffle(images * 2 - 1, FOLD)))
        mixed = self.mix(torch.cat([features.mean((-1, -2)), features.amax((-1, -2))], 1))
        return self.quality(mixed).squeeze(1), self.defects(mixed)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """RGB (B, 3, S, S) in [0, 1] -> quality (B,) and strengths of defects (B, D), all in [0, 1]."""
        quality, defects = self.logits(images)
        return quality.sigmoid(), defects.sigmoid()
