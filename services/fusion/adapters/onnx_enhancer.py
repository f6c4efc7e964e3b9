"""An enhancer or upscaler net in an ONNX file: the starter pack's, or of Real-ESRGAN's or GFPGAN's shape."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from services.fusion.domain.face import FloatArray, Image
from services.fusion.domain.tiles import in_tiles
from shared.cancellation import CancellationToken
from shared.errors.common import ModelMissing
from shared.threads import ort_session_options


@dataclass(frozen=True, slots=True)
class NetCard:
    """What the JSON file beside a net says of it.

    Attributes:
        multiple: sides of its input must be multiples of this.
        low, high: what black and white are in its input and output.
    """

    multiple: int = 1
    low: float = 0.0
    high: float = 1.0

    @classmethod
    def beside(cls, path: Path) -> NetCard:
        """The card of the net at *path*; without one: any size, values in [0, 1].

        Raises:
            ValueError: it is no card.
        """
        card = path.with_suffix(".json")
        if not card.is_file():
            return cls()
        try:
            content = json.loads(card.read_text("utf-8"))
            low, high = content.get("input", {}).get("range", (0.0, 1.0))
            return cls(int(content.get("multiple", 1)), float(low), float(high))
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{card} is no card of an enhancer: {error}") from error


class OnnxEnhancer:
    """Runs one net with input (1, 3, H, W) float32 RGB and output (1, 3, sH, sW) in the same range.

    The net's factor s is measured on a small picture when the file is opened; a result of another size than
    asked for is resized. A net of fixed input size (GFPGAN: 512) gets the picture resized. Safe to share.
    """

    def __init__(
        self, path: Path, *, scale: int = 1, name: str | None = None, threads: int | None = None
    ) -> None:
        """Open the file; *name* defaults to the file's. *threads* of one operator; None is all cores.

        Raises:
            ModelMissing: there is no such file.
            ValueError: the card is none, or the net cannot enlarge by *scale*.
        """
        if not path.is_file():
            raise ModelMissing(
                file=path, licence="that of the model you choose", command="copy the file there"
            )
        import onnxruntime

        self.name, self.scale, self._card = name or path.name, scale, NetCard.beside(path)
        self._session: Any = onnxruntime.InferenceSession(
            str(path), ort_session_options(threads), providers=["CPUExecutionProvider"]
        )
        entry = self._session.get_inputs()[0]
        self._input = entry.name
        height, width = entry.shape[2], entry.shape[3]
        self._fixed = (height, width) if isinstance(height, int) and isinstance(width, int) else None
        side = -(-64 // self._card.multiple) * self._card.multiple
        probe = np.full((*(self._fixed or (side, side)), 3), 128, np.uint8)
        factor = self._run(probe).shape[0] // probe.shape[0]
        if self._fixed is None and factor < scale:
            raise ValueError(f"{path} enlarges {factor} times; {scale} times is needed")

    def enhance(self, image: Image, *, strength: float, token: CancellationToken) -> Image:
        """See `Enhancer.enhance`. A net of fixed size sees the picture whole, in one piece."""
        if self._fixed is not None:
            token.raise_if_cancelled()
            return self._enhanced(image, strength)
        return in_tiles(
            image,
            lambda piece: self._enhanced(piece, strength),
            scale=self.scale,
            before_piece=token.raise_if_cancelled,
        )

    def _enhanced(self, image: Image, strength: float) -> Image:
        size = (image.shape[1] * self.scale, image.shape[0] * self.scale)
        plain = image
        if self.scale > 1 and strength < 1:
            plain = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LANCZOS4), np.uint8)
        if strength <= 0:
            return plain.copy()
        made = self._made(image)
        if made.shape[:2] != size[::-1]:
            way = cv2.INTER_AREA if made.shape[1] > size[0] else cv2.INTER_CUBIC
            made = np.asarray(cv2.resize(made, size, interpolation=way), np.float32)
        if strength < 1:
            made = made * np.float32(strength) + plain.astype(np.float32) * np.float32(1 - strength)
        # Rounds to nearest and keeps to [0, 255].
        return np.asarray(cv2.convertScaleAbs(np.maximum(made, 0)), np.uint8)

    def _made(self, image: Image) -> FloatArray:
        """What the net makes of *image* at its own factor, float32 about 0 to 255."""
        if self._fixed:
            resized = cv2.resize(image, self._fixed[::-1], interpolation=cv2.INTER_AREA)
            return self._run(np.asarray(resized, np.uint8))
        height, width = image.shape[:2]
        multiple = self._card.multiple
        below, right = -height % multiple, -width % multiple
        if below or right:
            image = np.asarray(cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE), np.uint8)
        made = self._run(image)
        factor = made.shape[0] // image.shape[0]
        return made[: height * factor, : width * factor]

    def _run(self, image: Image) -> FloatArray:
        low, span = self._card.low, self._card.high - self._card.low
        planes = np.asarray(cv2.dnn.blobFromImage(image, scalefactor=span / 255.0), np.float32)
        if low:
            planes = planes + np.float32(low)
        made = self._session.run(None, {self._input: planes})[0][0]
        if low:
            made = made - low
        merged = cv2.merge([np.ascontiguousarray(plane) for plane in made])
        return np.asarray(merged * np.float32(255.0 / span), np.float32)
