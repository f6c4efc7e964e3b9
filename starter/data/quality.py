"""Face crops that are spoiled to a known degree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from starter.data import photographic
from starter.data.cropping import Image, Jitter, Matrix, box_crop, cut, cut_parts, jittered
from starter.data.degrade import DEGRADATIONS
from starter.data.manifest import Sample
from starter.data.melt import melt
from starter.data.portraits import read_parts, read_rgb
from starter.data.reconstructions import Reconstructions

CROP_PX = 160
BOX_SCALE = 1.5
DEFECTS = ("blur", "noise", "compression", "exposure", "distortion")
_DEFECT_OF = {name: name for name in DEFECTS} | {"resolution": "blur"}
_WEIGHTS: Mapping[str, float] = {
    "blur": 0.8, "noise": 0.5, "compression": 0.5, "exposure": 0.6, "distortion": 1.0,
}  # fmt: skip
_JITTER = Jitter(shift=0.03, turn=0.12, zoom=0.06, stretch=0.02)
_RECONSTRUCTION_BLUR = 0.1
"""What even clean latents cost in sharpness."""


@dataclass(frozen=True)
class QualityBatch:
    """Crops and what is wrong with them.

    images: float32 (B, 3, CROP_PX, CROP_PX) in [0, 1].
    defects: float32 (B, len(DEFECTS)), strengths in [0, 1].
    """

    images: Tensor
    defects: Tensor


def quality_of(defects: Tensor) -> Tensor:
    """1 for a faultless face, towards 0 the worse: the product over all defects, (B, D) -> (B,).

    A face without features is worth nothing, one with the grain of a bad camera still something.
    """
    weights = torch.tensor([_WEIGHTS[name] for name in DEFECTS])
    return (1 - weights * defects).clamp(min=0).prod(-1)


def face_matrix(sample: Sample) -> Matrix:
    """The face crop of the quality net."""
    return box_crop(sample.box_px, CROP_PX, BOX_SCALE)


def spoiled_batch(
    samples: Sequence[Sample], made: Reconstructions, size: int, rng: np.random.Generator, varied: bool = True
) -> QualityBatch:
    """`size` crops: a third from reconstructions, most others spoiled in one to three ways, some faultless.

    varied: other backgrounds and light too (for training); they cost nothing in quality.
    """
    pairs = [
        _from_reconstruction(samples, made, rng)
        if rng.random() < 0.35
        else _from_render(samples, rng, varied)
        for _ in range(size)
    ]
    images = torch.from_numpy(np.stack([image for image, _ in pairs])).permute(0, 3, 1, 2)
    defects = [[strengths.get(name, 0.0) for name in DEFECTS] for _, strengths in pairs]
    return QualityBatch(images.float().div_(255), torch.tensor(defects))


def _from_reconstruction(
    samples: Sequence[Sample], made: Reconstructions, rng: np.random.Generator
) -> tuple[Image, dict[str, float]]:
    chosen = int(rng.integers(len(made.positions)))
    matrix, _ = jittered(face_matrix(samples[int(made.positions[chosen])]), CROP_PX, _JITTER, rng)
    image = cut(np.ascontiguousarray(made.images[chosen].permute(1, 2, 0).numpy()), matrix, CROP_PX)
    return image, {"distortion": float(made.spoiled[chosen]), "blur": _RECONSTRUCTION_BLUR}


def _from_render(
    samples: Sequence[Sample], rng: np.random.Generator, varied: bool
) -> tuple[Image, dict[str, float]]:
    sample = samples[int(rng.integers(len(samples)))]
    matrix, _ = jittered(face_matrix(sample), CROP_PX, _JITTER, rng)
    image = cut(read_rgb(sample), matrix, CROP_PX)
    if varied and rng.random() < 0.5:
        image = photographic.swap_background(image, cut_parts(read_parts(sample), matrix, CROP_PX), rng)
    if varied and rng.random() < 0.5:
        image = photographic.look_of_camera(image, rng, spoiled=0.0)
    strengths: dict[str, float] = {}
    if rng.random() < 0.4:
        other = samples[int(rng.integers(len(samples)))]
        strength = float(rng.uniform(0, 1))
        image = melt(image, cut(read_rgb(other), face_matrix(other), CROP_PX), strength, rng)
        strengths["distortion"] = strength
    count = int(rng.choice([0, 1, 2, 3], p=[0.3, 0.4, 0.2, 0.1]))
    for name in sorted(rng.choice(sorted(DEGRADATIONS), count, replace=False), key=_ORDER.index):
        strength = float(rng.uniform(0, 1))
        image = DEGRADATIONS[name](image, strength, rng)
        strengths[_DEFECT_OF[name]] = max(strength, strengths.get(_DEFECT_OF[name], 0.0))
    return image, strengths


_ORDER = ("exposure", "blur", "noise", "resolution", "compression")
"""As it happens in a camera: noise that is blurred afterwards would be no noise."""
