"""The starter pack's attribute net, or any other of the same shape, run through ONNX Runtime."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from services.face_analysis.adapters.net_file import ATTRIBUTES, OnnxNet
from services.face_analysis.domain.faces import AttributeGuess, DetectedFace, Floats, Rgb


class OnnxAttributeModel:
    """`AttributeModel` over attributes.onnx, one output of logits per trait; the card names the labels."""

    def __init__(self, folder: Path, *, thread_count: int = 1) -> None:
        """Load the pair of files. Raises ModelMissing when one is absent, ValueError when they disagree."""
        self._net = OnnxNet(ATTRIBUTES, folder, thread_count=thread_count)
        self._labels = {trait: tuple(words) for trait, words in self._net.card["labels"].items()}
        found = {output: self._net.width_of(output) for output in self._net.outputs}
        expected = {trait: len(words) for trait, words in self._labels.items()}
        if found != expected:
            raise ValueError(f"{folder / 'attributes.json'} does not describe the net: {expected}, {found}")

    @property
    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """See `AttributeModel.labels`."""
        return self._labels

    def guess(self, rgb: Rgb, face: DetectedFace) -> dict[str, AttributeGuess]:
        """See `AttributeModel.guess`."""
        _, logits = self._net.look_at(rgb, face)
        return {
            trait: AttributeGuess(_probabilities(self._labels[trait], values))
            for trait, values in zip(self._net.outputs, logits, strict=True)
        }


def _probabilities(words: tuple[str, ...], logits: Floats) -> dict[str, float]:
    weights = np.exp(logits.astype(np.float64) - logits.max())
    return dict(zip(words, (weights / weights.sum()).tolist(), strict=True))
