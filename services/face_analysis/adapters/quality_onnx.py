"""The technical quality of the picture of a face, by the starter pack's quality net."""

from pathlib import Path

import numpy as np

from services.face_analysis.adapters.net_file import QUALITY, OnnxNet
from services.face_analysis.domain.faces import DetectedFace, Rgb
from services.face_analysis.domain.findings import JudgedQuality


class OnnxQualityModel:
    """`QualityModel` over quality.onnx: one number for the quality, and one for each label of the card."""

    def __init__(self, folder: Path, *, thread_count: int = 1) -> None:
        """Load the pair of files. Raises ModelMissing when one is absent, ValueError when they disagree."""
        self._net = OnnxNet(QUALITY, folder, ("quality", "defects"), thread_count=thread_count)
        self._labels = tuple(self._net.card["labels"])
        if self._net.width_of("defects") not in (len(self._labels), "labels"):
            raise ValueError(f"{folder / 'quality.json'} does not describe the net: {self._labels}")

    def judge(self, rgb: Rgb, face: DetectedFace) -> JudgedQuality:
        """See `QualityModel.judge`."""
        _, (quality, defects) = self._net.look_at(rgb, face)
        strengths = np.clip(defects.astype(np.float64), 0, 1).tolist()
        return JudgedQuality(
            float(np.clip(np.ravel(quality)[0], 0, 1)), dict(zip(self._labels, strengths, strict=True))
        )
