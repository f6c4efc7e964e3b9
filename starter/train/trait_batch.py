"""How training crops of the nets that read words are varied: moved, tinted, blurred, photographed."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from starter.data import photographic
from starter.heads.truth import sides_swapped
from starter.train.trait_task import MARGIN

_PHOTOGRAPHED = 0.5
"""Share of the training crops that are made to look like photographs."""
_OTHER_SCENE = 0.5


def moves(count: int, rng: np.random.Generator, mirror: bool) -> NDArray[np.float32]:
    """Maps (B, 2, 3) of places in a crop to the wider one, both -1 to 1: shift, zoom, turn, mirror."""
    angle, zoom = rng.normal(0, 0.08, count), rng.uniform(0.88, 1.12, count) / MARGIN
    flip = rng.choice([-1.0, 1.0], count) if mirror else np.ones(count)
    theta = np.zeros((count, 2, 3), np.float32)
    theta[:, 0, 0], theta[:, 0, 1] = flip * zoom * np.cos(angle), -zoom * np.sin(angle)
    theta[:, 1, 0], theta[:, 1, 1] = flip * zoom * np.sin(angle), zoom * np.cos(angle)
    theta[:, :, 2] = rng.normal(0, 0.06, (count, 2))
    return theta


def moved_points(points: Tensor, theta: NDArray[np.float32]) -> Tensor:
    """Landmarks (B, K, 2) of the wider crops in those that `theta` cuts out; mirrored, they change names."""
    maps = torch.from_numpy(theta)
    mirrored = torch.linalg.det(maps[:, :, :2]) < 0
    if mirrored.any():
        points = torch.where(mirrored[:, None, None], points[:, sides_swapped()], points)
    return torch.linalg.solve(maps[:, :, :2], (points - maps[:, None, :, 2]).mT).mT


def augment(wide: Tensor, theta: NDArray[np.float32], size: int, rng: np.random.Generator) -> Tensor:
    """Cut by `theta`, tint and blur uint8 (B, 3, S * MARGIN, S * MARGIN) -> float [0, 1] (B, 3, S, S)."""
    count = len(wide)
    grid = F.affine_grid(torch.from_numpy(theta), [count, 3, size, size], align_corners=False)
    images = F.grid_sample(wide.float() / 255, grid, padding_mode="border", align_corners=False)
    tint = torch.from_numpy(rng.normal(1, 0.06, (count, 3, 1, 1)).astype(np.float32))
    gain = torch.from_numpy(rng.normal(1, 0.10, (count, 1, 1, 1)).astype(np.float32))
    images = (images * tint * gain).clamp(0, 1)
    if rng.random() < 0.3:
        small = F.interpolate(images, scale_factor=float(rng.uniform(0.4, 0.9)), mode="area")
        images = F.interpolate(small, size=(size, size), mode="bilinear")
    return images


def photographed(
    images: Tensor, parts: NDArray[np.uint8], rng: np.random.Generator, share: float = _PHOTOGRAPHED
) -> tuple[Tensor, Tensor]:
    """Make a share of uint8 crops (B, 3, S, S) with part maps (B, S, S) look like photographs.

    Returns the crops and which were changed, bool (B,): shades of their colours are no longer the person's.
    """
    seen, changed = images.clone(), rng.random(len(images)) < share
    for row in np.flatnonzero(changed):
        image = np.ascontiguousarray(images[row].permute(1, 2, 0).numpy())
        if rng.random() < _OTHER_SCENE:
            image = photographic.swap_background(image, parts[row], rng)
        seen[row] = torch.from_numpy(photographic.look_of_camera(image, rng)).permute(2, 0, 1)
    return seen, torch.from_numpy(changed)
