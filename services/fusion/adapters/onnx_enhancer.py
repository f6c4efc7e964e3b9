"""An enhancer or upscaler net in an ONNX file (Real-ESRGAN's and GFPGAN's export shape)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from services.fusion.domain.face import Image
from shared.errors.common import ModelMissing
from shared.threads import ort_session_options


class OnnxEnhancer:
    """Runs one net with input (1, 3, H, W) float32 RGB in [0, 1] and output (1, 3, sH, sW) in the same range.

    The factor s is measured on a small picture when the file is opened. A net of fixed input size (GFPGAN:
    512) gets the picture resized, and its output is resized back.
    """

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        """Open the file.

        Raises:
            ModelMissing: there is no such file.
        """
        if not path.is_file():
            raise ModelMissing(
                file=path, licence="that of the model you choose", command="copy the file there"
            )
        import onnxruntime

        options = ort_session_options(threads)
        self._session: Any = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        entry = self._session.get_inputs()[0]
        self._input = entry.name
        height, width = entry.shape[2], entry.shape[3]
        self._fixed = (height, width) if isinstance(height, int) and isinstance(width, int) else None
        probe = np.full((*(self._fixed or (64, 64)), 3), 128, np.uint8)
        self._factor = self._run(probe).shape[0] // probe.shape[0]

    @property
    def scales(self) -> tuple[int, ...]:
        """1 and the net's own factor."""
        return tuple(sorted({1, self._factor}))

    def enhance(self, image: Image, *, scale: int, strength: float) -> Image:
        """See `Enhancer.enhance`; *strength* mixes the net's picture with plain resampling."""
        import cv2

        if scale not in self.scales:
            raise ValueError(f"scale {scale} is not one of {self.scales}")
        size = (image.shape[1] * scale, image.shape[0] * scale)
        source = image
        if self._fixed:
            source = np.asarray(cv2.resize(image, self._fixed[::-1], interpolation=cv2.INTER_AREA), np.uint8)
        made = cv2.resize(self._run(source), size, interpolation=cv2.INTER_AREA).astype(np.float32)
        plain = cv2.resize(image, size, interpolation=cv2.INTER_LANCZOS4).astype(np.float32)
        return np.asarray(np.clip(plain + strength * (made - plain) + 0.5, 0, 255), np.uint8)

    def _run(self, image: Image) -> Image:
        planes = np.ascontiguousarray(image.astype(np.float32).transpose(2, 0, 1)[None] / 255.0)
        out = self._session.run(None, {self._input: planes})[0][0]
        return np.asarray(np.clip(out.transpose(1, 2, 0) * 255.0 + 0.5, 0, 255), np.uint8)
