"""The net that reads a whole portrait's scene: whether a prompt was followed. For evaluation only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from starter.data.labels import FACING_LIMIT_DEG, SCENE_LABELS
from starter.data.manifest import Sample
from starter.data.portraits import read_rgb
from starter.train.loop import Recipe
from starter.train.trait_task import TraitTask
from starter.train.traits import train_task

RECIPE = Recipe(steps=2500, batch=48, lr=3e-3, lr_end=2e-5, weight_decay=0.02, uses_muon=True)
SIDE_PX = 160


def facing(yaw_deg: float) -> str:
    """The word for a turn of the head, as captions use it."""
    if abs(yaw_deg) <= FACING_LIMIT_DEG:
        return "forward"
    return "right" if yaw_deg > 0 else "left"


def _words(sample: Sample) -> Mapping[str, str]:
    return {
        "expression": sample.expression,
        "background": sample.background,
        "clothes_color": sample.clothes["color"],
        "clothes_cut": sample.clothes["cut"],
        "facing": facing(sample.yaw_deg),
    }


def _pad(side_px: int, margin: float) -> int:
    return round(side_px * (margin - 1) / 2)


def _crop(sample: Sample, size: int, margin: float) -> NDArray[np.uint8]:
    """The whole picture; what a wider crop would show beyond its edge repeats the edge."""
    image = read_rgb(sample)
    pad = _pad(image.shape[0], margin)
    wide = cv2.copyMakeBorder(image, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(wide, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def _points(sample: Sample, margin: float) -> NDArray[np.float32]:
    """The landmarks in that crop, -1 to 1: an expression is how they lie."""
    side = read_rgb(sample).shape[0]
    pad = _pad(side, margin)
    return np.asarray((sample.landmarks + pad) / (side + 2 * pad) * 2 - 1, np.float32)


TASK = TraitTask(
    name="scene",
    labels=SCENE_LABELS,
    words_of=_words,
    crop=_crop,
    mirror=False,
    card={"rule": "none: a whole square portrait, made smaller by area averaging", "size_px": SIDE_PX},
    points_of=_points,
    evenness=0.5,
)


def train(data: Path, runs: Path, steps: int | None = None) -> None:
    """Train and write `runs/scene/model`."""
    train_task(TASK, RECIPE, data, runs, steps)
