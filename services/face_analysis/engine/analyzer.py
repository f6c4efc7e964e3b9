"""One image in, its faces out: detection at every right angle, measures, embeddings, findings of the nets."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from services.face_analysis.domain.backend import AttributeModel, BackendInfo, FaceBackend
from services.face_analysis.domain.faces import DetectedFace, Face, Floats, Rgb
from services.face_analysis.domain.findings import FaceFeature
from services.face_analysis.domain.nets import MarkModel, QualityModel, StructureModel
from services.face_analysis.domain.photos import ImageAnalysis
from services.face_analysis.domain.quality import measure
from shared.cancellation import CancellationToken

# A face that is only seen after turning the photo must be a good one: turned textures fool detectors more.
_MIN_TURNED_CONFIDENCE = 0.3


@dataclass(frozen=True)
class FaceNets:
    """The optional models; each is safe to share, so that all analyzers hold the same ones."""

    attributes: AttributeModel | None = None
    structure: StructureModel | None = None
    marks: MarkModel | None = None
    quality: QualityModel | None = None

    @property
    def features(self) -> frozenset[FaceFeature]:
        """What can be asked for."""
        nets = {FaceFeature.STRUCTURE: self.structure, FaceFeature.MARKS: self.marks}
        return frozenset(feature for feature, net in nets.items() if net is not None)


class FaceAnalyzer:
    """Combines a backend with the measures and the optional models. For one thread at a time."""

    def __init__(
        self, backend: FaceBackend, nets: FaceNets | None = None, *, tries_rotations: bool = True
    ) -> None:
        self._backend = backend
        self._nets = nets or FaceNets()
        self._tries_rotations = tries_rotations

    @property
    def info(self) -> BackendInfo:
        """The backend's constants."""
        return self._backend.info

    @property
    def features(self) -> frozenset[FaceFeature]:
        """What `analyze_image` can be asked for."""
        return self._nets.features

    def analyze(self, rgb: Rgb, features: Collection[FaceFeature] = ()) -> list[Face]:
        """The faces of an upright image, the largest first."""
        return list(self.analyze_image(rgb, CancellationToken(), features).faces)

    def analyze_image(
        self, rgb: Rgb, token: CancellationToken, features: Collection[FaceFeature] = ()
    ) -> ImageAnalysis:
        """The faces of an image; turned by 90, 180 and 270 degrees when there is none upright.

        Features without a net are left out: whoever calls this has asked `features` first. Raises Cancelled
        between rotations, between detection and embedding, and between faces.
        """
        turned, found, rotation_deg = self._detect(rgb, token)
        token.raise_if_cancelled()
        embeddings = self._backend.embed(turned, found) if found else ()
        faces = []
        for face, embedding in zip(found, embeddings, strict=True):
            token.raise_if_cancelled()
            faces.append(self._face(turned, face, embedding, features))
        faces.sort(key=lambda face: -face.area_px)
        return ImageAnalysis(tuple(faces), turned.shape[1], turned.shape[0], rotation_deg)

    def _face(
        self, rgb: Rgb, face: DetectedFace, embedding: Floats, features: Collection[FaceFeature]
    ) -> Face:
        nets = self._nets
        wants_structure, wants_marks = (f in features for f in (FaceFeature.STRUCTURE, FaceFeature.MARKS))
        return Face(
            box_px=face.box_px,
            landmarks_px=face.landmarks_px,
            embedding=embedding,
            detection_confidence=face.detection_confidence,
            quality=measure(rgb, face),
            attributes=nets.attributes.guess(rgb, face) if nets.attributes else {},
            comparison=self.info.metric.project([embedding])[0],
            structure=nets.structure.read(rgb, face) if nets.structure and wants_structure else None,
            marks=nets.marks.find(rgb, face) if nets.marks and wants_marks else None,
            judged=nets.quality.judge(rgb, face) if nets.quality else None,
        )

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
