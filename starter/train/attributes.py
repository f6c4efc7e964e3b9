"""The net that reads a person's attributes off a head crop: what face analysis tells the prompt writer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from starter.data.headcrop import BOX_SCALE, CROP_PX, CROP_RULE, crop_head
from starter.data.labels import LABELS
from starter.data.manifest import Sample
from starter.data.portraits import read_rgb
from starter.train.loop import Recipe
from starter.train.traits import TraitTask, train_task

RECIPE = Recipe(steps=2500, batch=48, lr=3e-3, lr_end=2e-5, weight_decay=0.02, uses_muon=True)


def _words(sample: Sample) -> Mapping[str, str]:
    return {name: str(sample.attributes[name]) for name in LABELS}


def _crop(sample: Sample, size: int, margin: float) -> NDArray[np.uint8]:
    return crop_head(read_rgb(sample), sample.box_px, size, BOX_SCALE * margin)


TASK = TraitTask(
    name="attributes",
    labels=LABELS,
    words_of=_words,
    crop=_crop,
    mirror=True,
    card={"rule": CROP_RULE, "box_scale": BOX_SCALE, "size_px": CROP_PX, "padding": "edge"},
)


def train(data: Path, runs: Path, steps: int | None = None) -> None:
    """Train and write `runs/attributes/model`."""
    train_task(TASK, RECIPE, data, runs, steps)
