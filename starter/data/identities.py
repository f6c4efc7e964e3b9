"""Batches of face crops with the number of the person, for the embedder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from starter.data import photographic
from starter.data.cropping import Jitter, Matrix, box_crop, cut, cut_parts, jittered
from starter.data.manifest import Sample
from starter.data.portraits import read_parts, read_rgb
from starter.models.embedder import CROP_PX

BOX_SCALE = 1.25
"""Little hair is in the crop: it is no identity here."""
_JITTER = Jitter(shift=0.025, turn=0.06, zoom=0.05, stretch=0.01)


def face_matrix(sample: Sample) -> Matrix:
    """The embedder's face crop."""
    return box_crop(sample.box_px, CROP_PX, BOX_SCALE)


def exact_crops(samples: Sequence[Sample]) -> Tensor:
    """Undisturbed crops, float32 (N, 3, CROP_PX, CROP_PX) in [0, 1]."""
    crops = [cut(read_rgb(sample), face_matrix(sample), CROP_PX) for sample in samples]
    return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float().div_(255)


def training_crops(samples: Sequence[Sample], positions: Sequence[int], rng: np.random.Generator) -> Tensor:
    """Crops of the samples at `positions` with other backgrounds, light and cameras, like `exact_crops`."""
    crops = []
    for position in positions:
        sample = samples[position]
        matrix, _ = jittered(face_matrix(sample), CROP_PX, _JITTER, rng)
        image = cut(read_rgb(sample), matrix, CROP_PX)
        if rng.random() < 0.3:
            image = photographic.swap_background(image, cut_parts(read_parts(sample), matrix, CROP_PX), rng)
        if rng.random() < 0.05:
            image, _ = photographic.put_before(image, rng)
        # Not always: skin, eyes and lips have their colours, and those are identity here.
        if rng.random() < 0.5:
            image = photographic.look_of_camera(image, rng, spoiled=0.8)
        crops.append(image)
    return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float().div_(255)
