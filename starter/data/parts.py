"""Loss weights from the part map that the renderer writes beside each image."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from starter.heads.parts import Part

__all__ = ["Part", "loss_weights", "weight_table"]


_EYES = (Part.SCLERA, Part.IRIS, Part.LASHES)
_FEATURES = (Part.LIPS, Part.BROWS, Part.TEETH, Part.INSIDE_MOUTH, Part.GLASSES)
_FACE = (Part.SKIN, Part.BEARD)


def weight_table(eyes: float, features: float, face: float, rest: float) -> Tensor:
    """Part id -> loss weight, float32 (32,); ids beyond the known ones get `rest`."""
    table = torch.full((32,), rest)
    for parts, weight in ((_FACE, face), (_FEATURES, features), (_EYES, eyes)):
        table[list(parts)] = weight
    return table


def loss_weights(parts: Tensor, table: Tensor, size: int, grow: int = 1) -> Tensor:
    """Loss weights (B, 1, size, size) of part maps (B, H, W) uint8.

    Weights are grown by `grow` pixels of the map, so that the rim of an eye counts as eye, then
    averaged down to `size`.
    """
    weights = table[parts.long()].unsqueeze(1)
    if grow:
        weights = F.max_pool2d(weights, 2 * grow + 1, stride=1, padding=grow)
    if size < weights.shape[-1]:
        return F.adaptive_avg_pool2d(weights, size)
    return F.interpolate(weights, size=(size, size), mode="nearest")


def part_shares(parts: Tensor, size: int, batch: int = 64) -> Tensor:
    """Share of each part in each cell, float32 (B, len(Part), size, size), of part maps (B, H, W) uint8."""
    pieces = []
    for start in range(0, len(parts), batch):
        single = F.one_hot(parts[start : start + batch].long(), len(Part)).movedim(-1, 1)
        pieces.append(F.adaptive_avg_pool2d(single.float(), size))
    return torch.cat(pieces)
