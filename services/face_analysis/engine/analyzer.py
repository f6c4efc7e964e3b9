"""One image in, its faces out: detection at every right angle, measures, embeddings, attributes."""

import numpy as np

from services.face_analysis.domain.backend import AttributeModel, BackendInfo, FaceBackend
from services.face_analysis.domain.faces import DetectedFace, Face, Rgb
from services.face_analysis.domain.photos import ImageAnalysis
from services.face_analysis.domain.quality import measure
from shared.cancellation import CancellationToken

# A face that is only seen after turning the photo must be a good one: turned textures fool detectors more.
_MIN_TURNED_CONFIDENCE = 0.3


class FaceAnalyzer:
    """Combines a backend with the measures and the attribute model. For one thread at a time."""

    def __init__(
        self, backend: FaceBackend, attributes: AttributeModel | None = None, *, tries_rotations: bool = True
    ) -> None:
        self._backend = backend
        self._attributes = attributes
        self._tries_rotations = tries_rotations

    @property
    def info(self) -> BackendInfo:
        """The backend's constants."""
        return self._backend.info

    def analyze(self, rgb: Rgb) -> list[Face]:
        """The faces of an upright image, the largest first."""
        return list(self.analyze_image(rgb, CancellationToken()).faces)

    def analyze_image(self, rgb: Rgb, token: CancellationToken) -> ImageAnalysis:
        """The faces of an image; turned by 90, 180 and 270 degrees when there is none upright.

        Raises Cancelled between detection and embedding, and between rotations.
        """
        turned, found, rotation_deg = self._detect(rgb, token)
        token.raise_if_cancelled()
        embeddings = self._backend.embed(turned, found) if found else ()
        faces = [
            Face(
                box_px=face.box_px,
                landmarks_px=face.landmarks_px,
                embedding=embedding,
                detection_confidence=face.detection_confidence,
                quality=measure(turned, face),
                attributes=self._attributes.guess(turned, face) if self._attributes else {},
            )
            for face, embedding in zip(found, embeddings, strict=True)
        ]
        faces.sort(key=lambda face: -face.area_px)
        return ImageAnalysis(tuple(faces), turned.shape[1], turned.shape[0], rotation_deg)

    def _detect(self, rgb: Rgb, token: CancellationToken) -> tuple[Rgb, list[DetectedFace], int]:
        upright = self._backend.detect(rgb)
        if upright or not self._tries_rotations:
            return rgb, upright, 0
        best: tuple[Rgb, list[DetectedFace], int] = (rgb, [], 0)
        best_confidence = _MIN_TURNED_CONFIDENCE
        for rotation_deg in (90, 180, 270):
            token.raise_if_cancelled()
            turned = turn_clockwise(rgb, rotation_deg)
            found = self._backend.detect(turned)
            confidence = max((face.detection_confidence for face in found), default=0.0)
            if confidence > best_confidence:
                best, best_confidence = (turned, found, rotation_deg), confidence
        return best


def turn_clockwise(rgb: Rgb, rotation_deg: int) -> Rgb:
    """The image turned clockwise by a multiple of 90 degrees, C-contiguous."""
    return np.ascontiguousarray(np.rot90(rgb, -rotation_deg // 90))
