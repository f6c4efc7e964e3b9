"""A face backend that says what it is told, for tests of the engine."""

from collections.abc import Callable, Sequence

import numpy as np

from services.face_analysis.domain.faces import DetectedFace
from services.face_analysis.domain.geometry import ARCFACE_TEMPLATE_PX
from tests.unit.face_analysis.builders import INFO, embedding


def detected(confidence: float = 0.9, side: float = 112.0, x: float = 0.0) -> DetectedFace:
    landmarks = (ARCFACE_TEMPLATE_PX * side / 112 + [x, 0]).astype(np.float32)
    return DetectedFace((x, 0.0, x + side, side), landmarks, confidence, 0.9)


class ScriptedBackend:
    """`FaceBackend` whose detections are a function of the image; counts its calls."""

    def __init__(self, detect: Callable[[np.ndarray], list[DetectedFace]]) -> None:
        self._detect = detect
        self.detect_calls: list[tuple[int, ...]] = []
        self.embed_calls = 0

    info = INFO

    def detect(self, rgb: np.ndarray) -> list[DetectedFace]:
        self.detect_calls.append(rgb.shape)
        return self._detect(rgb)

    def embed(self, rgb: np.ndarray, faces: Sequence[DetectedFace]) -> np.ndarray:
        self.embed_calls += 1
        return np.stack([embedding(i) for i in range(len(faces))])
