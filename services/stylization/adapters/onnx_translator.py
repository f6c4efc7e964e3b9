"""Image-to-image nets in ONNX files: the embedded `Translator`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from services.stylization.adapters.guided_upsampling import guided_upsample
from services.stylization.domain import Effect, Image, WorkSize, work_size
from shared.errors.common import ModelMissing
from shared.threads import ort_session_options

_HOW_TO_GET = "python -m starter.train_stylizer"


class OnnxTranslator:
    """Runs one net: "image" (1, 3, H, W) float32 RGB in [0, 1] to "drawing" of the same shape and range.

    A file NAME.onnx is described by NAME.json beside it: {"name", "description", "licence", "multiple",
    "longest_px", "shortest_px"}; the last three bound the size at which the net works. Larger pictures are
    drawn at that size and brought up along their own edges.
    """

    def __init__(self, path: Path, *, threads: int = 1, longest_px: int | None = None) -> None:
        """Open the net.

        Args:
            path: the .onnx file.
            threads: of one operator.
            longest_px: overrides the description's bound: larger is slower and finer.

        Raises:
            ModelMissing: the file or its description is not there.
        """
        described = path.with_suffix(".json")
        for file in (path, described):
            if not file.is_file():
                raise ModelMissing(file=file, licence="Apache-2.0", command=_HOW_TO_GET)
        import onnxruntime

        card = json.loads(described.read_text())
        self._effect = Effect(card["name"], card["description"], card["licence"])
        self._multiple = int(card["multiple"])
        self._longest_px = longest_px or int(card["longest_px"])
        self._shortest_px = min(int(card["shortest_px"]), self._longest_px)
        options = ort_session_options(threads)
        providers = ["CPUExecutionProvider"]
        self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=providers)

    @property
    def effect(self) -> Effect:
        """See `Translator.effect`."""
        return self._effect

    def translate(self, image: Image) -> Image:
        """See `Translator.translate`."""
        height, width = image.shape[:2]
        size = work_size(
            width,
            height,
            longest_px=self._longest_px,
            shortest_px=self._shortest_px,
            multiple=self._multiple,
        )
        if (size.width_px, size.height_px) == (width, height):
            return self._drawn(image, size)
        shrinks = size.width_px < width
        flags = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        small = np.asarray(cv2.resize(image, (size.width_px, size.height_px), interpolation=flags), np.uint8)
        drawn = self._drawn(small, size)
        if shrinks:
            return guided_upsample(small, drawn, image)
        return np.asarray(cv2.resize(drawn, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

    def _drawn(self, image: Image, size: WorkSize) -> Image:
        """The net's answer at the size of *image*; the padding repeats the edge: no border is drawn."""
        right, bottom = size.padded_width_px - size.width_px, size.padded_height_px - size.height_px
        padded = np.pad(image, ((0, bottom), (0, right), (0, 0)), mode="edge")
        planes = np.ascontiguousarray(padded.transpose(2, 0, 1)[None].astype(np.float32) / 255.0)
        drawn = self._session.run(None, {"image": planes})[0][0].transpose(1, 2, 0)
        out = np.clip(drawn * 255.0 + 0.5, 0, 255).astype(np.uint8)
        return np.ascontiguousarray(out[: size.height_px, : size.width_px])
