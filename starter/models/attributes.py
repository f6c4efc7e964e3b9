"""A small residual net that reads words off a crop: of the person, or of the whole scene."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn

from starter.data.labels import LABELS


class _Block(nn.Module):
    """Two 3x3 convolutions, the first with stride 2, and a strided 1x1 shortcut."""

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width_in, width_out, 3, 2, 1, bias=False)
        self.norm1 = nn.GroupNorm(8, width_out)
        self.second = nn.Conv2d(width_out, width_out, 3, 1, 1, bias=False)
        self.norm2 = nn.GroupNorm(8, width_out)
        self.shortcut = nn.Conv2d(width_in, width_out, 1, 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.norm1(self.first(x)))
        return torch.relu(self.norm2(self.second(y)) + self.shortcut(x))


class AttributeNet(nn.Module):
    """One classifier per list of words on shared features.

    size_px: side of the crops, a multiple of 32. points: if not 0, `with_points` places so many, which
    teaches the features where things are while they learn their names; no part of the packed net.
    """

    def __init__(
        self,
        labels: Mapping[str, tuple[str, ...]] = LABELS,
        widths: tuple[int, ...] = (32, 64, 128, 192),
        size_px: int = 128,
        points: int = 0,
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 24, 5, 2, 2), nn.ReLU())
        sizes = (24, *widths)
        self.blocks = nn.Sequential(*(_Block(a, b) for a, b in pairwise(sizes)))
        self.dropout = nn.Dropout(0.2)
        # Position matters (hair is above, beard below), so the last map is not averaged away.
        cells = (size_px // 2 ** (len(widths) + 1)) ** 2
        self.mix = nn.Sequential(nn.Flatten(), nn.Linear(widths[-1] * cells, 256), nn.ReLU())
        self.heads = nn.ModuleDict({name: nn.Linear(256, len(words)) for name, words in labels.items()})
        self.points = nn.Linear(256, 2 * points) if points else None

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """RGB float32 (B, 3, S, S) in [0, 1] -> logits (B, words) per list, in the labels' order."""
        return self._words(self._mixed(images))

    def with_points(self, images: Tensor) -> tuple[tuple[Tensor, ...], Tensor | None]:
        """The same, and places (B, points, 2), -1 to 1 across the crop; None in a net without points."""
        mixed = self._mixed(images)
        return self._words(mixed), None if self.points is None else self.points(mixed).unflatten(1, (-1, 2))

    def _mixed(self, images: Tensor) -> Tensor:
        mixed: Tensor = self.mix(self.dropout(self.blocks(self.stem(images * 2 - 1))))
        return mixed

    def _words(self, mixed: Tensor) -> tuple[Tensor, ...]:
        return tuple(head(mixed) for head in self.heads.values())
