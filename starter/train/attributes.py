"""The net that reads a person's attributes off a head crop: what face analysis tells the prompt writer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from starter.data.cropping import Matrix, box_crop, cut_parts, move
from starter.data.headcrop import BOX_SCALE, crop_head
from starter.data.labels import LABELS
from starter.data.manifest import Sample
from starter.data.portraits import read_parts, read_rgb
from starter.onnx_files import box_crop_entry
from starter.train.loop import Recipe
from starter.train.trait_task import TraitTask
from starter.train.traits import train_task

RECIPE = Recipe(steps=5000, batch=48, lr=3e-3, lr_end=2e-5, weight_decay=0.02, uses_muon=True)
SIDE_PX = 160


def _words(sample: Sample) -> Mapping[str, str]:
    return {name: str(sample.attributes[name]) for name in LABELS}


def _crop(sample: Sample, size: int, margin: float) -> NDArray[np.uint8]:
    return crop_head(read_rgb(sample), sample.box_px, size, BOX_SCALE * margin)


def _matrix(sample: Sample, size: int, margin: float) -> Matrix:
    return box_crop(sample.box_px, size, BOX_SCALE * margin)


def _parts(sample: Sample, size: int, margin: float) -> NDArray[np.uint8]:
    return cut_parts(read_parts(sample), _matrix(sample, size, margin), size)


def _points(sample: Sample, margin: float) -> NDArray[np.float32]:
    """The landmarks in that crop, -1 to 1: glasses, beards and hair are told by where they are."""
    return np.asarray(move(sample.landmarks, _matrix(sample, 2, margin)) - 1, np.float32)


TASK = TraitTask(
    name="attributes",
    labels=LABELS,
    words_of=_words,
    crop=_crop,
    mirror=True,
    card=box_crop_entry(BOX_SCALE, SIDE_PX),
    points_of=_points,
    parts_of=_parts,
    shades=("hair_color",),
    evenness=0.5,
)


def train(data: Path, runs: Path, steps: int | None = None) -> None:
    """Train and write `runs/attributes/model`."""
    train_task(TASK, RECIPE, data, runs, steps)
