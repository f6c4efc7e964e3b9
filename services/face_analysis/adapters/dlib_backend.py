"""dlib: HOG detector, five landmarks, 128-D embedding. CPU only; weights are CC0."""

import importlib.util
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from services.face_analysis.adapters.calibration_file import DLIB_RENDERS, load_metric
from services.face_analysis.adapters.dlib_landmarks import in_agreed_order
from services.face_analysis.domain.backend import BackendInfo, ModelFile
from services.face_analysis.domain.faces import DetectedFace, Floats, Rgb, area_px, normalised
from services.face_analysis.domain.metric import IdentityMetric
from shared.errors.common import ModelMissing

_LANDMARKS_FILE = "shape_predictor_5_face_landmarks.dat"
_EMBEDDING_FILE = "dlib_face_recognition_resnet_model_v1.dat"
_LICENCE = "CC0-1.0"
_DETECTOR_WINDOW_PX = 80

Domain = Literal["renders", "photos"]
# Equal error rates on renders: 10.5 % of pairs of one person are below, 10.5 % of pairs of two are above.
_SAME_RENDER_SIMILARITY = 0.94
# dlib's customary distance of 0.6 between raw vectors, at their norm of 1.35: 1 - .36 / (2 * 1.35^2).
_SAME_PHOTO_SIMILARITY = 0.90

# Wander of the landmarks, as a share of the eye distance, at which nothing is left of the trust in them.
# Median over renders .012, 95th percentile .034, faces whose points are plainly wrong .07 to .15.
_UNTRUSTED_WANDER = 0.1
# The ways in which the box is moved and resized to see whether the landmarks stay: (x, y, scale).
_NUDGES = ((0.05, 0, 1), (-0.05, 0, 1), (0, 0.05, 1), (0, -0.05, 1), (0, 0, 1.05), (0, 0, 0.95))


class DlibBackend:
    """`FaceBackend` over dlib. Not thread-safe: one instance per worker (22 MB each).

    detection_confidence is 1 - exp(-score) of the detector's margin (0.75 for a typical face, 0.18 at a
    margin of 0.2). landmark_confidence is 1 - w / 0.1, at least 0, where w is how far the landmarks wander
    on average when the detector's box is moved or resized by 5 %, as a share of the eye distance.
    dlib measures eye corners and the base of the nose; see `dlib_landmarks` for how the rest is estimated.
    """

    def __init__(
        self, *, domain: Domain = "renders", detection_side_px: int = 1024, upsample_count: int = 1
    ) -> None:
        """Load the weights. Raises ModelMissing when the package that carries them is not installed.

        Args:
            domain: What kind of pictures the similarities are calibrated for.
            detection_side_px: Longer side to which larger images are reduced for detection alone.
            upsample_count: Doublings of the image before detection; each halves the smallest face.
        """
        import dlib

        folder = _models_folder()
        self._dlib: Any = dlib
        self._detector = dlib.get_frontal_face_detector()
        self._predictor = dlib.shape_predictor(str(folder / _LANDMARKS_FILE))
        self._embedder = dlib.face_recognition_model_v1(str(folder / _EMBEDDING_FILE))
        self._detection_side_px = detection_side_px
        self._upsample_count = upsample_count
        self._same_person_similarity, self._metric = _calibration(domain)

    @property
    def info(self) -> BackendInfo:
        """Constants; the similarities are calibrated on renders (README, "Figures")."""
        return BackendInfo(
            name="dlib",
            embedding_model="dlib-resnet-v1",
            embedding_dimension=128,
            same_person_similarity=self._same_person_similarity,
            metric=self._metric,
            min_face_px=_DETECTOR_WINDOW_PX >> self._upsample_count,
            models=(
                ModelFile("dlib-hog-frontal", "detection", "BSL-1.0"),
                ModelFile("dlib-5-landmarks", "landmarks", _LICENCE),
                ModelFile("dlib-resnet-v1", "embedding", _LICENCE),
            ),
        )

    def detect(self, rgb: Rgb) -> list[DetectedFace]:
        """See `FaceBackend.detect`. Landmarks are fitted at full resolution, whatever detection ran at."""
        reduced, scale = _reduced(rgb, self._detection_side_px)
        boxes, scores, _ = self._detector.run(reduced, self._upsample_count, 0.0)
        full = np.ascontiguousarray(rgb)
        faces = [self._face(full, box, score, scale) for box, score in zip(boxes, scores, strict=True)]
        return sorted(faces, key=lambda face: -area_px(face.box_px))

    def embed(self, rgb: Rgb, faces: Sequence[DetectedFace]) -> Floats:
        """See `FaceBackend.embed`. dlib's raw vectors have norms of 1.2 to 1.5, not 1.

        dlib holds the interpreter lock meanwhile, some 70 ms a face.
        """
        if not faces:
            return np.zeros((0, 128), np.float32)
        shapes = self._dlib.full_object_detections([face.native for face in faces])
        raw = self._embedder.compute_face_descriptor(np.ascontiguousarray(rgb), shapes, num_jitters=0)
        return normalised(np.array(raw, np.float64).reshape(len(faces), 128))

    def _face(self, rgb: Rgb, box: Any, score: float, scale: float) -> DetectedFace:
        left, top = box.left() / scale, box.top() / scale
        right, bottom = (box.right() + 1) / scale, (box.bottom() + 1) / scale
        shape = self._predictor(rgb, self._rectangle(left, top, right, bottom))
        points = _points(shape)
        return DetectedFace(
            box_px=(left, top, right, bottom),
            landmarks_px=in_agreed_order(points),
            detection_confidence=1.0 - math.exp(-max(0.0, score)),
            landmark_confidence=max(0.0, 1.0 - self._wander(rgb, shape.rect, points) / _UNTRUSTED_WANDER),
            has_hog_box=True,
            native=shape,
        )

    def _wander(self, rgb: Rgb, box: Any, points: npt.NDArray[np.float64]) -> float:
        centre = np.array([box.left() + box.right() + 1, box.top() + box.bottom() + 1]) / 2
        side = float(box.width())
        shifts = []
        for x, y, factor in _NUDGES:
            (left, top), half = centre + side * np.array([x, y]) - side * factor / 2, side * factor
            nudged = _points(self._predictor(rgb, self._rectangle(left, top, left + half, top + half)))
            shifts.append(np.linalg.norm(nudged - points, axis=1).mean())
        eye_distance = np.linalg.norm(points[:2].mean(axis=0) - points[2:4].mean(axis=0))
        return float(np.mean(shifts) / max(float(eye_distance), 1.0))

    def _rectangle(self, left: float, top: float, right: float, bottom: float) -> Any:
        return self._dlib.rectangle(round(left), round(top), round(right) - 1, round(bottom) - 1)


def _calibration(domain: Domain) -> tuple[float, IdentityMetric]:
    """The same-person threshold and the metric of a domain; README, "Figures"."""
    if domain == "renders":
        return _SAME_RENDER_SIMILARITY, load_metric(DLIB_RENDERS)
    return _SAME_PHOTO_SIMILARITY, IdentityMetric(_SAME_PHOTO_SIMILARITY)


def _points(shape: Any) -> npt.NDArray[np.float64]:
    return np.array([(point.x, point.y) for point in shape.parts()], np.float64)


def _reduced(rgb: Rgb, side_px: int) -> tuple[Rgb, float]:
    """The image with its longer side at most `side_px`, and the factor by which it shrank."""
    longer = max(rgb.shape[:2])
    if longer <= side_px:
        return np.ascontiguousarray(rgb), 1.0
    import cv2

    scale = side_px / longer
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    reduced: Rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    return reduced, scale


def _models_folder() -> Path:
    # The package imports pkg_resources, which new setuptools lack, so it is located without importing it.
    spec = importlib.util.find_spec("face_recognition_models")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    for name in (_LANDMARKS_FILE, _EMBEDDING_FILE):
        if not folders or not (Path(folders[0]) / "models" / name).is_file():
            raise ModelMissing(file=name, licence=_LICENCE, command="pip install face-recognition-models")
    return Path(folders[0]) / "models"
