"""Ids of the part map that the renderer writes beside each image, and loss weights from it."""

from __future__ import annotations

from enum import IntEnum

import torch
from torch import Tensor
from torch.nn import functional as F


class Part(IntEnum):
    """What a pixel shows."""

    BACKGROUND = 0
    SKIN = 1
    LIPS = 2
    BROWS = 3
    EARS = 4
    NECK = 5
    SCLERA = 6
    IRIS = 7
    TEETH = 8
    INSIDE_MOUTH = 9
    LASHES = 10
    HAIR = 11
    BEARD = 12
    CLOTHES = 13
    GLASSES = 14
    METAL = 15


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
