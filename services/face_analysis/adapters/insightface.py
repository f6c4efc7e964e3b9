"""insightface: any SCRFD detector and ArcFace recogniser on disk, for example buffalo_l or antelopev2."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from services.face_analysis.adapters.scrfd import Scrfd
from services.face_analysis.domain.backend import BackendInfo, ModelFile
from services.face_analysis.domain.faces import DetectedFace, Floats, Rgb, area_px, normalised
from services.face_analysis.domain.geometry import ARCFACE_SIZE_PX, align_face
from services.face_analysis.domain.metric import IdentityMetric
from shared.errors.common import ModelMissing
from shared.threads import ort_session_options

LICENCE = "insightface model licence: non-commercial research only, unless bought"
_COMMAND = "pip install insightface && insightface-cli model.download buffalo_l"
# Faces at least two cells of the finest stride wide; smaller ones have no anchors.
_MIN_FACE_PX = 16


class InsightfaceBackend:
    """`FaceBackend` over two ONNX files, without the insightface package. Safe to share between threads.

    landmark_confidence is the detector's score: SCRFD has none for landmarks alone. Weights are
    non-commercial unless bought; `info.models` says so and the service logs it at start.
    """

    def __init__(self, detector: Scrfd, recogniser: Any, info: BackendInfo, *, half_range: float) -> None:
        """Use `open_insightface` to build one from files.

        Args:
            detector: The SCRFD network.
            recogniser: `onnxruntime.InferenceSession`, (n, 3, 112, 112) float32 -> (n, D).
            info: What to tell callers.
            half_range: Pixels enter the recogniser as (value - half_range) / half_range: 127.5 for PyTorch
                exports such as buffalo_l; 0 leaves them as they are, for MXNet exports that normalise.
        """
        shape = recogniser.get_inputs()[0].shape
        if list(shape[1:]) != [3, ARCFACE_SIZE_PX, ARCFACE_SIZE_PX]:
            raise ValueError(f"not an ArcFace recogniser: its input is {shape}, not (n, 3, 112, 112)")
        self._detector, self._recogniser, self._info = detector, recogniser, info
        self._input = recogniser.get_inputs()[0].name
        self._half_range = half_range

    @property
    def info(self) -> BackendInfo:
        """As configured; the similarities cannot be calibrated without the weights."""
        return self._info

    def detect(self, rgb: Rgb) -> list[DetectedFace]:
        """See `FaceBackend.detect`."""
        found = self._detector.detect(rgb)
        faces = [
            DetectedFace(
                box_px=(float(box[0]), float(box[1]), float(box[2]), float(box[3])),
                landmarks_px=points.astype(np.float32),
                detection_confidence=float(score),
                landmark_confidence=float(score),
            )
            for box, points, score in zip(found.boxes_px, found.landmarks_px, found.scores, strict=True)
        ]
        return sorted(faces, key=lambda face: -area_px(face.box_px))

    def embed(self, rgb: Rgb, faces: Sequence[DetectedFace]) -> Floats:
        """See `FaceBackend.embed`. One face a call: some exports have a fixed batch of 1."""
        vectors = [self._embed_one(align_face(rgb, face.landmarks_px)) for face in faces]
        if not vectors:
            return np.zeros((0, self._info.embedding_dimension), np.float32)
        return normalised(np.concatenate(vectors))

    def _embed_one(self, aligned: Rgb) -> Floats:
        pixels = aligned.astype(np.float32)
        if self._half_range:
            pixels = (pixels - self._half_range) / self._half_range
        output: Floats = self._recogniser.run(None, {self._input: pixels.transpose(2, 0, 1)[None]})[0]
        return output.reshape(1, -1)


def open_insightface(
    detector_file: Path,
    recogniser_file: Path,
    *,
    same_person_similarity: float,
    same_set_similarity: float,
    half_range: float = 127.5,
    thread_count: int = 1,
) -> InsightfaceBackend:
    """Load a pair of files. Raises ModelMissing for an absent one, ValueError for one of another shape."""
    detector, recogniser = (_session(path, thread_count) for path in (detector_file, recogniser_file))
    info = BackendInfo(
        name="insightface",
        embedding_model=f"insightface-{recogniser_file.stem}",
        embedding_dimension=_dimension(recogniser),
        same_person_similarity=same_person_similarity,
        metric=IdentityMetric(same_set_similarity),
        min_face_px=_MIN_FACE_PX,
        models=(
            ModelFile(detector_file.stem, "detection and landmarks", LICENCE),
            ModelFile(recogniser_file.stem, "embedding", LICENCE),
        ),
    )
    return InsightfaceBackend(Scrfd(detector), recogniser, info, half_range=half_range)


def _session(path: Path, thread_count: int) -> Any:
    import onnxruntime

    if not path.is_file():
        raise ModelMissing(file=path, licence=LICENCE, command=_COMMAND)
    options = ort_session_options(thread_count)
    return onnxruntime.InferenceSession(str(path), options, providers=onnxruntime.get_available_providers())


def _dimension(recogniser: Any) -> int:
    shape = recogniser.get_outputs()[0].shape
    if len(shape) != 2 or not isinstance(shape[1], int):
        raise ValueError(f"not an ArcFace recogniser: its output is {shape}, not (n, D)")
    return int(shape[1])
