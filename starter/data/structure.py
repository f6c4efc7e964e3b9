"""Batches of head crops with part maps and dense landmarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from starter.data import photographic
from starter.data.cropping import (
    Image,
    Jitter,
    Matrix,
    box_crop,
    cut,
    cut_parts,
    jittered,
    move,
    scale_of,
    whole_picture,
)
from starter.data.headcrop import BOX_SCALE
from starter.data.manifest import Sample
from starter.data.parts import Part
from starter.data.portraits import read_parts, read_rgb
from starter.heads.truth import sides_swapped

HEAD_PX = 160
"""Side of a head crop; the box scale is that of the attribute net."""
PORTRAIT_PX = 256
"""Side of a whole portrait: a head is as large in it as in the head crop, up to a quarter."""
Cut = Literal["head", "window", "whole"]
"""A head crop; a part of a whole portrait, of the head crop's size; a whole portrait."""


@dataclass(frozen=True)
class StructureBatch:
    """Crops of one size S with their ground truth.

    Attributes:
        images: float32 (B, 3, S, S) in [0, 1].
        parts: int64 (B, S, S).
        places: float32 (B, K, 2), in [0, 1] of the crop; may lie outside.
        visible, inside: bool (B, K): not hidden by anything; within the crop.
        eye_distance: float32 (B,), between the middles of the eyes, as a share of the crop's side.
    """

    images: Tensor
    parts: Tensor
    places: Tensor
    visible: Tensor
    inside: Tensor
    eye_distance: Tensor


@dataclass(frozen=True)
class _Crop:
    image: Image
    parts: Image
    places: NDArray[np.float32]
    visible: NDArray[np.bool_]
    eye_distance: float


def head_matrix(sample: Sample) -> Matrix:
    """The head crop by the rule of `starter.data.headcrop`."""
    return box_crop(sample.box_px, HEAD_PX, BOX_SCALE)


def exact_batch(samples: Sequence[Sample], whole: bool = False) -> StructureBatch:
    """Undisturbed crops of `samples`: of the heads, or of the whole portraits."""
    return _stack([_crop(s, _matrix(s, whole), PORTRAIT_PX if whole else HEAD_PX, False) for s in samples])


def training_batch(
    samples: Sequence[Sample], size: int, kind: Cut, rng: np.random.Generator, disturbed: float = 1.0
) -> StructureBatch:
    """`size` random crops of one kind, moved and mirrored, a share of them made to look like photographs."""
    side = PORTRAIT_PX if kind == "whole" else HEAD_PX
    crops = []
    for index in rng.choice(len(samples), size):
        sample = samples[int(index)]
        exact = _matrix(sample, whole=kind != "head")
        if kind == "window":
            exact[:, 2] -= rng.uniform(0, PORTRAIT_PX - HEAD_PX, 2)
        matrix, mirrored = jittered(exact, side, Jitter(), rng)
        crop = _crop(sample, matrix, side, mirrored)
        crops.append(_disturbed(crop, rng) if rng.random() < disturbed else crop)
    return _stack(crops)


def _matrix(sample: Sample, whole: bool) -> Matrix:
    return whole_picture(read_rgb(sample).shape[0], PORTRAIT_PX) if whole else head_matrix(sample)


def _crop(sample: Sample, matrix: Matrix, side: int, mirrored: bool) -> _Crop:
    places = move(sample.landmarks, matrix) / np.float32(side)
    visible = sample.visibility == 0
    if mirrored:
        places, visible = places[sides_swapped()], visible[sides_swapped()]
    eyes = np.subtract(sample.landmarks_px["left_eye"], sample.landmarks_px["right_eye"])
    return _Crop(
        cut(read_rgb(sample), matrix, side),
        cut_parts(read_parts(sample), matrix, side),
        places,
        visible,
        float(np.hypot(*eyes)) * scale_of(matrix) / side,
    )


def _disturbed(crop: _Crop, rng: np.random.Generator) -> _Crop:
    """Another background, things before the head, another camera."""
    image, parts, visible = crop.image, crop.parts, crop.visible
    if rng.random() < 0.5:
        image = photographic.swap_background(image, parts, rng)
    if rng.random() < 0.2:
        image, cover = photographic.put_before(image, rng)
        parts = np.where(cover, np.uint8(Part.BACKGROUND), parts)
        side = len(parts)
        x, y = np.clip((crop.places * side).astype(int), 0, side - 1).T
        visible = visible & ~cover[y, x]
    if rng.random() < 0.85:
        image = photographic.look_of_camera(image, rng)
    return _Crop(image, parts, crop.places, visible, crop.eye_distance)


def _stack(crops: Sequence[_Crop]) -> StructureBatch:
    places = torch.from_numpy(np.stack([crop.places for crop in crops]))
    inside = ((places > 0) & (places < 1)).all(-1)
    images = torch.from_numpy(np.stack([crop.image for crop in crops]))
    return StructureBatch(
        images=images.permute(0, 3, 1, 2).float().div_(255),
        parts=torch.from_numpy(np.stack([crop.parts for crop in crops])).long(),
        places=places,
        visible=torch.from_numpy(np.stack([crop.visible for crop in crops])) & inside,
        inside=inside,
        eye_distance=torch.tensor([crop.eye_distance for crop in crops]),
    )
