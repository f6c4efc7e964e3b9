"""Pairs of a spoiled and a clean piece of a portrait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from starter.data.cropping import Image, PartMap
from starter.data.degrade import DEGRADATIONS
from starter.data.manifest import Sample
from starter.data.parts import loss_weights, weight_table
from starter.data.portraits import read_parts, read_rgb
from starter.data.reconstructions import Reconstructions

PIECE_PX = 128
"""Side of a clean piece."""
_PART_WEIGHTS = weight_table(eyes=5.0, features=3.0, face=1.5, rest=0.8)
_SPOILED = (("blur", 0.5, 0.45), ("noise", 0.4, 0.35), ("resolution", 0.3, 0.25), ("compression", 0.6, 0.75))
"""What the enhancer must undo: name, share of the pieces, greatest strength."""
_SPOILED_SMALL = (("blur", 0.3, 0.12), ("noise", 0.3, 0.1), ("compression", 0.4, 0.5))
"""What the upscaler must undo besides."""


@dataclass(frozen=True)
class Pairs:
    """spoiled, clean: float32 (B, 3, h, w) in [0, 1]. weights: float32 (B, 1, H, W) of the clean pieces."""

    spoiled: Tensor
    clean: Tensor
    weights: Tensor


@dataclass(frozen=True)
class _Piece:
    clean: Image
    parts: Image
    made: Image | None


def enhancing_pairs(
    samples: Sequence[Sample], made: Reconstructions, size: int, rng: np.random.Generator
) -> Pairs:
    """Pieces that went through the autoencoder (a third), or through a bad camera, or nothing (a tenth)."""
    rows = []
    for _ in range(size):
        draw = rng.random()
        if draw < 0.35:
            chosen = int(rng.integers(len(made.positions)))
            restored = np.ascontiguousarray(made.images[chosen].permute(1, 2, 0).numpy())
            piece = _piece(samples[int(made.positions[chosen])], restored, rng)
        else:
            piece = _piece(samples[int(rng.integers(len(samples)))], None, rng)
        spoiled = piece.clean if piece.made is None else piece.made
        if draw < 0.9:
            spoiled = _spoil(spoiled, _SPOILED, 0.5 if piece.made is not None else 1.0, rng)
        rows.append((spoiled, piece.clean, piece.parts))
    return _stack(rows)


def enlarging_pairs(samples: Sequence[Sample], size: int, rng: np.random.Generator) -> Pairs:
    """Pieces of half the size, and the pieces themselves, of the portraits or of their halves.

    So the net sees a face at two scales; from portraits of 512 px it learns to make those from 256 px.
    """
    rows = []
    for _ in range(size):
        piece = _piece(samples[int(rng.integers(len(samples)))], None, rng, may_shrink=True)
        half = (PIECE_PX // 2, PIECE_PX // 2)
        method = int(rng.choice([cv2.INTER_AREA, cv2.INTER_AREA, cv2.INTER_CUBIC]))
        small = np.asarray(cv2.resize(piece.clean, half, interpolation=method), np.uint8)
        rows.append((_spoil(small, _SPOILED_SMALL, 1.0, rng), piece.clean, piece.parts))
    return _stack(rows)


def _piece(sample: Sample, made: Image | None, rng: np.random.Generator, may_shrink: bool = False) -> _Piece:
    """A random square of a portrait; every second one near the eyes, the hardest part."""
    picture, parts = read_rgb(sample), _at_size(read_parts(sample))
    eyes = np.array([sample.landmarks_px[name] for name in ("left_eye", "right_eye", "nose")]).mean(0)
    if may_shrink and rng.random() < 0.35 and picture.shape[0] >= 2 * PIECE_PX:
        half = (picture.shape[1] // 2, picture.shape[0] // 2)
        picture = np.asarray(cv2.resize(picture, half, interpolation=cv2.INTER_AREA), np.uint8)
        parts, eyes = parts[1::2, 1::2], eyes / 2
    last = picture.shape[0] - PIECE_PX
    corner = rng.uniform(0, last + 1, 2)
    if rng.random() < 0.5:
        corner = eyes - PIECE_PX / 2 + rng.normal(0, 0.08 * picture.shape[0], 2)
    x, y = (int(v) for v in np.clip(corner, 0, last))
    window = np.s_[y : y + PIECE_PX, x : x + PIECE_PX]
    flip = np.s_[:, ::-1] if rng.random() < 0.5 else np.s_[:, :]
    return _Piece(picture[window][flip], parts[window][flip], None if made is None else made[window][flip])


def _at_size(parts: PartMap) -> Image:
    """Part ids at the picture's size."""
    factor = round(float(parts.to_picture[0, 0]))
    return parts.ids.repeat(factor, 0).repeat(factor, 1)


def _spoil(
    image: Image, ways: Sequence[tuple[str, float, float]], most: float, rng: np.random.Generator
) -> Image:
    out = np.ascontiguousarray(image)
    for name, share, strength in ways:
        if rng.random() < share:
            out = DEGRADATIONS[name](out, float(rng.uniform(0, strength * most)), rng)
    return out


def _stack(rows: Sequence[tuple[Image, Image, Image]]) -> Pairs:
    spoiled, clean, parts = (torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True))
    weights = loss_weights(parts, _PART_WEIGHTS, PIECE_PX)
    return Pairs(as_planes(spoiled), as_planes(clean), weights)


def as_planes(images: Tensor) -> Tensor:
    """uint8 (B, H, W, 3) -> float32 (B, 3, H, W) in [0, 1]."""
    return images.permute(0, 3, 1, 2).float().div(255)
