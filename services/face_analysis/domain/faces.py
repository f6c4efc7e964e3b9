"""The vocabulary of the service: a detected face and its measures.

Conventions, valid everywhere in this package: images are RGB uint8, shape (height, width, 3); a point is
(x, y) in pixels with the origin at the top left corner of the image; boxes are (x0, y0, x1, y1) with the
maximum exclusive; left is the viewer's left; embeddings are float32 with L2 norm 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from services.face_analysis.domain.findings import JudgedQuality, SkinMark, Structure

Rgb: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float32]
Box: TypeAlias = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class DetectedFace:
    """A face as a detector sees it, before it is measured or embedded."""

    box_px: Box
    landmarks_px: Floats
    """Shape (5, 2): left eye centre, right eye centre, nose tip, left and right mouth corner."""
    detection_confidence: float
    """Range [0, 1]; grows with the detector's own score, comparable within one backend only."""
    landmark_confidence: float
    """Range [0, 1]; how it is measured is the backend's own, stated in its docstring."""
    has_hog_box: bool = False
    """True where the box is that of dlib's HOG detector, by which nets cut; see `head_box`."""
    native: object = field(default=None, repr=False)
    """What the backend that made this face wants back in `embed`; opaque to everybody else."""


@dataclass(frozen=True)
class Quality:
    """Measures of one face; definitions and units are in `quality.py` and `geometry.py`."""

    sharpness: float
    exposure: float
    mean_luminance: float
    size_px: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    landmark_confidence: float
    overall: float


@dataclass(frozen=True)
class AttributeGuess:
    """What the attribute model thinks of one trait of one face, for example hair_color."""

    scores: Mapping[str, float]
    """Probability of every label of this trait; they sum to 1."""

    @property
    def value(self) -> str:
        """The most probable label."""
        return max(self.scores, key=lambda label: self.scores[label])

    @property
    def confidence(self) -> float:
        """The probability of `value`, range (0, 1]."""
        return self.scores[self.value]


@dataclass(frozen=True, eq=False)
class Face:
    """A face with everything that the service can say about it."""

    box_px: Box
    landmarks_px: Floats
    embedding: Floats
    """Shape (D,), float32, L2 norm 1; D is `BackendInfo.embedding_dimension`."""
    detection_confidence: float
    quality: Quality
    attributes: Mapping[str, AttributeGuess] = field(default_factory=dict)
    """Empty when no attribute model is configured."""
    comparison: Floats | None = None
    """Shape (K,), float32, L2 norm 1: the embedding after the backend's metric; None stands for the same."""
    structure: Structure | None = None
    """None where it was not asked for."""
    marks: tuple[SkinMark, ...] | None = None
    """The most confident first; None where they were not looked for."""
    judged: JudgedQuality | None = None
    """None where no quality net is installed. No part of `quality.overall`."""

    @property
    def area_px(self) -> float:
        """Area of the box in square pixels."""
        return area_px(self.box_px)


def area_px(box: Box) -> float:
    """Area of a box in square pixels; 0 for an empty one."""
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def cosine_similarity(a: Floats, b: Floats) -> float:
    """Cosine of two L2-normalised embeddings, range [-1, 1]."""
    return float(np.clip(np.dot(a, b), -1.0, 1.0))


def normalised(vectors: npt.NDArray[np.floating]) -> Floats:
    """Rows scaled to L2 norm 1, float32. Raises ValueError for a row of zeros or with a non-finite value."""
    values = np.asarray(vectors, dtype=np.float64)
    norms = np.linalg.norm(values, axis=-1, keepdims=True)
    if not np.all(np.isfinite(norms)) or np.any(norms == 0):
        raise ValueError("an embedding of zeros or with non-finite values has no direction")
    result: Floats = (values / norms).astype(np.float32)
    return result
