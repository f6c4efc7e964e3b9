"""A small residual net that reads words off a crop: of the person, or of the whole scene."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from starter.data.labels import LABELS

_FEATURES = 256
_SHADE_FEATURES = 128
_SHADE_WIDTHS = (32, 64, 96)


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


class _Trunk(nn.Module):
    """What a crop of `size_px` shows, as `features` numbers."""

    def __init__(self, size_px: int, widths: tuple[int, ...], features: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 24, 5, 2, 2), nn.ReLU())
        self.blocks = nn.Sequential(*(_Block(a, b) for a, b in pairwise((24, *widths))))
        self.dropout = nn.Dropout(0.2)
        # Position matters (hair is above, beard below), so the last map is not averaged away.
        cells = (size_px // 2 ** (len(widths) + 1)) ** 2
        self.mix = nn.Sequential(nn.Flatten(), nn.Linear(widths[-1] * cells, features), nn.ReLU())

    def forward(self, images: Tensor) -> Tensor:
        mixed: Tensor = self.mix(self.dropout(self.blocks(self.stem(images * 2 - 1))))
        return mixed


class AttributeNet(nn.Module):
    """One classifier per list of words on shared features.

    size_px: side of the crops, a multiple of 32. points: if not 0, `with_points` places so many, which
    teaches the features where things are while they learn their names; no part of the packed net.
    shades: lists of colours that a small trunk of their own reads, at half the size. What learns to see
    glasses in any light learns to look past colours: with one trunk for both, blue hair is read as green.
    """

    def __init__(
        self,
        labels: Mapping[str, tuple[str, ...]] = LABELS,
        widths: tuple[int, ...] = (32, 64, 128, 192),
        size_px: int = 128,
        points: int = 0,
        shades: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        self.trunk = _Trunk(size_px, widths, _FEATURES)
        self.shade_trunk = _Trunk(size_px // 2, _SHADE_WIDTHS, _SHADE_FEATURES) if shades else None
        sizes = {name: _SHADE_FEATURES if name in shades else _FEATURES for name in labels}
        self.heads = nn.ModuleDict(
            {name: nn.Linear(sizes[name], len(words)) for name, words in labels.items()}
        )
        self.points = nn.Linear(_FEATURES, 2 * points) if points else None
        self._shades = shades

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """RGB float32 (B, 3, S, S) in [0, 1] -> logits (B, words) per list, in the labels' order."""
        return self._words(images, self.trunk(images))

    def with_points(self, images: Tensor) -> tuple[tuple[Tensor, ...], Tensor | None]:
        """The same, and places (B, points, 2), -1 to 1 across the crop; None in a net without points."""
        features = self.trunk(images)
        placed = None if self.points is None else self.points(features).unflatten(1, (-1, 2))
        return self._words(images, features), placed

    def _words(self, images: Tensor, features: Tensor) -> tuple[Tensor, ...]:
        seen = dict.fromkeys(self.heads, features)
        if self.shade_trunk is not None:
            seen |= dict.fromkeys(self._shades, self.shade_trunk(F.avg_pool2d(images, 2)))
        return tuple(head(seen[name]) for name, head in self.heads.items())
