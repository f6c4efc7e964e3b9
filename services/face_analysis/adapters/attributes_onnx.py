"""The starter pack's attribute net, or any other of the same shape, run through ONNX Runtime."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from services.face_analysis.domain.backend import ModelFile
from services.face_analysis.domain.faces import AttributeGuess, Box, DetectedFace, Floats, Rgb
from shared.errors.common import ModelMissing
from shared.threads import ort_session_options

MODEL_FILE, CARD_FILE = "attributes.onnx", "attributes.json"
_LICENCE = "Apache-2.0"
_COMMAND = "git checkout -- starter/weights/attributes (or python -m starter train attributes)"


class OnnxAttributeModel:
    """`AttributeModel` over attributes.onnx with one output of logits per trait. Safe to share.

    attributes.json beside it names the labels and the crop: a square around the centre of the face's box,
    `box_scale` times its mean side, edge pixels repeated outside the photo, RGB / 255.
    """

    def __init__(self, folder: Path, *, thread_count: int = 1) -> None:
        """Load the pair of files. Raises ModelMissing when one is absent, ValueError when they disagree."""
        import onnxruntime

        for name in (MODEL_FILE, CARD_FILE):
            if not (folder / name).is_file():
                raise ModelMissing(file=folder / name, licence=_LICENCE, command=_COMMAND)
        card = json.loads((folder / CARD_FILE).read_text("utf-8"))
        self._labels = {trait: tuple(words) for trait, words in card["labels"].items()}
        self._box_scale, self._size = float(card["crop"]["box_scale"]), int(card["crop"]["size_px"])
        self._session: Any = onnxruntime.InferenceSession(
            str(folder / MODEL_FILE), ort_session_options(thread_count), providers=["CPUExecutionProvider"]
        )
        outputs = {output.name: output.shape[-1] for output in self._session.get_outputs()}
        expected = {trait: len(words) for trait, words in self._labels.items()}
        if outputs != expected:
            raise ValueError(f"{folder / CARD_FILE} does not describe {MODEL_FILE}: {expected}, {outputs}")

    @property
    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """See `AttributeModel.labels`."""
        return self._labels

    def guess(self, rgb: Rgb, face: DetectedFace) -> dict[str, AttributeGuess]:
        """See `AttributeModel.guess`."""
        crop = crop_square(rgb, face.box_px, self._box_scale, self._size)
        pixels = (crop.astype(np.float32) / 255.0).transpose(2, 0, 1)[None]
        names = list(self._labels)
        logits = self._session.run(names, {self._session.get_inputs()[0].name: pixels})
        return {
            trait: AttributeGuess(_probabilities(self._labels[trait], values[0]))
            for trait, values in zip(names, logits, strict=True)
        }


def crop_square(rgb: Rgb, box_px: Box, scale: float, size_px: int) -> Rgb:
    """The square around the centre of a box, `scale` times its mean side, as (size_px, size_px, 3) RGB.

    Outside the photo the edge is repeated. Area averaging when shrinking, linear when enlarging: the same
    operations as in training (starter/data/headcrop.py).
    """
    import cv2

    x0, y0, x1, y1 = box_px
    side = max(1.0, scale * ((x1 - x0) + (y1 - y0)) / 2)
    left, top, length = round((x0 + x1 - side) / 2), round((y0 + y1 - side) / 2), max(1, round(side))
    rows = np.clip(np.arange(top, top + length), 0, rgb.shape[0] - 1)
    columns = np.clip(np.arange(left, left + length), 0, rgb.shape[1] - 1)
    square = rgb[rows[:, None], columns]
    method = cv2.INTER_AREA if length >= size_px else cv2.INTER_LINEAR
    crop: Rgb = np.asarray(cv2.resize(square, (size_px, size_px), interpolation=method), np.uint8)
    return crop


def attribute_model_file(is_available: bool) -> ModelFile:
    """What callers are told of the attribute model."""
    remedy = "" if is_available else _COMMAND
    return ModelFile("attributes", "attributes of the person", _LICENCE, is_available, remedy)


def _probabilities(words: tuple[str, ...], logits: Floats) -> dict[str, float]:
    weights = np.exp(logits.astype(np.float64) - logits.max())
    return dict(zip(words, (weights / weights.sum()).tolist(), strict=True))
