"""The ports of the service: what finds and embeds faces, and what guesses traits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.face_analysis.domain.faces import AttributeGuess, DetectedFace, Floats, Rgb
from services.face_analysis.domain.metric import IdentityMetric


@dataclass(frozen=True)
class BackendInfo:
    """What a caller must know to use and to compare embeddings of a backend."""

    name: str
    embedding_model: str
    """Embeddings of different models are never compared."""
    embedding_dimension: int
    same_person_similarity: float
    """Cosine from which two faces count as one person: equal shares of false accepts and false rejects."""
    metric: IdentityMetric
    """How the photos of a set are told apart by person."""
    min_face_px: int
    """Side of the smallest face that the detector can find in an image that it need not shrink."""
    models: tuple["ModelFile", ...]

    @property
    def comparison_model(self) -> str:
        """What embeddings are called once the metric is applied, such as "dlib-resnet-v1+renders-2"."""
        return f"{self.embedding_model}+{self.metric.name}" if self.metric.name else self.embedding_model


@dataclass(frozen=True)
class ModelFile:
    """One model at work, or one that could be."""

    name: str
    purpose: str
    licence: str
    """SPDX form where one exists, otherwise in words."""
    is_available: bool = True
    remedy: str = ""
    """What to do where it is missing; empty where it is available."""


class FaceBackend(Protocol):
    """Finds and embeds faces. An instance is used by one thread at a time; build one per worker."""

    @property
    def info(self) -> BackendInfo:
        """The same value for the life of the instance."""

    def detect(self, rgb: Rgb) -> list[DetectedFace]:
        """All faces of the image, the largest first; an empty list when there is none."""

    def embed(self, rgb: Rgb, faces: Sequence[DetectedFace]) -> Floats:
        """Embeddings, shape (len(faces), D), of faces that `detect` of this backend found in this image."""


class AttributeModel(Protocol):
    """Guesses traits of a face from an image and its landmarks. Safe to share between threads."""

    @property
    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """Every trait with its labels."""

    def guess(self, rgb: Rgb, face: DetectedFace) -> dict[str, AttributeGuess]:
        """One guess for every trait in `labels`."""
