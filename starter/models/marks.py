"""Finds moles, freckles and scars on a face crop: a heat map of centres, as CenterNet does.

Zhou et al., "Objects as points", arXiv 1904.07850.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from starter.models.blocks import ConvNorm, Residual, Stage

KINDS = ("mole", "freckle", "scar")
CELL_PX = 2
"""Side of a cell of the heat map, in pixels of the crop."""
_RARE = -4.6  # logit of a chance of 1 %: untrained, the net says that there is nothing


class MarkNet(nn.Module):
    """A small U-Net with heads for kind, place within the cell, and radius."""

    def __init__(self, widths: tuple[int, int, int] = (32, 64, 96)) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.stem = ConvNorm(3 * CELL_PX**2, fine)
        self.down = nn.ModuleList([Stage(fine, middle, 1), Stage(middle, coarse, 1)])
        self.side = nn.Conv2d(coarse, middle, 1)
        self.up = Residual(middle)
        self.to_fine = nn.Conv2d(middle, fine, 1)
        self.fine = ConvNorm(fine, fine)
        self.kinds = nn.Conv2d(fine, len(KINDS), 1)
        self.shape = nn.Conv2d(fine, 3, 1)
        assert self.kinds.bias is not None
        nn.init.constant_(self.kinds.bias, _RARE)

    def raw(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """RGB (B, 3, S, S) in [0, 1] -> logits (B, 3, S/2, S/2), offset (B, 2, ..), log radius (B, 1, ..)."""
        fine = self.stem(F.pixel_unshuffle(images * 2 - 1, CELL_PX))
        middle = self.down[0](fine)
        coarse = self.down[1](middle)
        middle = self.up(middle + F.interpolate(self.side(coarse), scale_factor=2.0, mode="nearest"))
        wide = F.interpolate(self.to_fine(middle), scale_factor=2.0, mode="bilinear", align_corners=False)
        fine = self.fine(fine + wide)
        shape = self.shape(fine)
        return self.kinds(fine), shape[:, :2].sigmoid(), shape[:, 2:]

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """RGB (B, 3, S, S) in [0, 1] -> heat, offset and radius as `read_marks` takes them."""
        logits, offset, log_radius = self.raw(images)
        heat = logits.sigmoid()
        strongest = heat.amax(1, keepdim=True)
        peaks = strongest >= F.max_pool2d(strongest, 3, 1, 1)
        return heat * peaks * (heat >= strongest), offset, log_radius.exp()


@dataclass(frozen=True)
class FoundMark:
    """A mark in pixels of the crop, from its top left corner; confidence in [0, 1]."""

    kind: str
    x: float
    y: float
    radius: float
    confidence: float


def read_marks(
    heat: NDArray[np.float32], offset: NDArray[np.float32], radius: NDArray[np.float32], threshold: float
) -> list[FoundMark]:
    """Marks of one crop, the most confident first.

    Args:
        heat: (kinds, h, w), 0 but at the peaks; one kind each.
        offset: (2, h, w), x and y of the mark within its cell, in cells.
        radius: (1, h, w), pixels of the crop.
        threshold: least confidence.
    """
    found = [
        FoundMark(
            KINDS[kind],
            float(column + offset[0, row, column]) * CELL_PX,
            float(row + offset[1, row, column]) * CELL_PX,
            float(radius[0, row, column]),
            float(heat[kind, row, column]),
        )
        for kind, row, column in np.argwhere(heat >= threshold)
    ]
    return sorted(found, key=lambda mark: -mark.confidence)
