"""What a net that reads words off crops learns from: words, crops, landmarks and part maps of samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from starter.data.manifest import Sample
from starter.models.attributes import AttributeNet

MARGIN = 1.2
"""Training crops are cut this much wider, so that they can be shifted and scaled."""
Crop = Callable[[Sample, int, float], NDArray[np.uint8]]
PointsOf = Callable[[Sample, float], NDArray[np.float32]]


@dataclass(frozen=True)
class TraitTask:
    """What a net of this kind reads, and off what.

    Attributes:
        name: of the run, the folder and the file.
        labels: list -> its words.
        words_of: the word of each list that a sample shows.
        crop: (sample, size, margin) -> uint8 (size, size, 3), the crop made `margin` times wider.
        mirror: whether a mirrored crop reads the same.
        card: the card's entry on the crop; its "size_px" is the side of the crops.
        points_of: (sample, margin) -> float32 (landmarks, 2), -1 to 1 across that crop: what is learnt beside
            the words, where every sample has landmarks.
        parts_of: (sample, size, margin) -> uint8 (size, size), the crop's part map. With it a share of the
            training crops is made to look like photographs.
        shades: lists of colours that a trunk of their own reads; they are not learnt off crops that were made
            to look like photographs.
        evenness: how far the packed net goes from words as likely as in the training data, 0, to words that
            are all equally likely, 1. A prompt asks for rare words as often as for frequent ones.
    """

    name: str
    labels: Mapping[str, tuple[str, ...]]
    words_of: Callable[[Sample], Mapping[str, str]]
    crop: Crop
    mirror: bool
    card: Mapping[str, Any]
    points_of: PointsOf | None = None
    parts_of: Crop | None = None
    shades: tuple[str, ...] = ()
    evenness: float = 0.0

    def net(self, points: int = 0) -> AttributeNet:
        """An untrained net for this task."""
        return AttributeNet(self.labels, size_px=self.size_px, points=points, shades=self.shades)

    @property
    def size_px(self) -> int:
        """Side of the crops."""
        return int(self.card["size_px"])


def crops(task: TraitTask, samples: Sequence[Sample], margin: float = 1.0) -> Tensor:
    """Crops of `samples`, uint8 (N, 3, S, S), S = the task's size * margin."""
    size = int(task.size_px * margin)
    return torch.from_numpy(np.stack([task.crop(s, size, margin) for s in samples])).permute(0, 3, 1, 2)


def targets(task: TraitTask, samples: Sequence[Sample]) -> Tensor:
    """Class numbers (N, lists), in the order of the task's labels."""
    shown = [task.words_of(sample) for sample in samples]
    return torch.tensor([[words.index(s[name]) for name, words in task.labels.items()] for s in shown])


def points_of(task: TraitTask, samples: Sequence[Sample]) -> Tensor | None:
    """What is learnt beside the words, (N, K, 2) in the wider crops; None where a sample has no landmarks."""
    if task.points_of is None or not all(len(sample.landmarks) for sample in samples):
        return None
    return torch.from_numpy(np.stack([task.points_of(sample, MARGIN) for sample in samples]))


def part_maps(task: TraitTask, samples: Sequence[Sample], margin: float = 1.0) -> NDArray[np.uint8] | None:
    """Part maps (N, S, S) of the crops of the same margin; None for a task without."""
    if task.parts_of is None:
        return None
    return np.stack([task.parts_of(sample, int(task.size_px * margin), margin) for sample in samples])
