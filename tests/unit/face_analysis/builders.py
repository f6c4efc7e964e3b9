"""Faces and photos as data, for tests of the rules."""

import hashlib

import numpy as np

from services.face_analysis.domain.backend import BackendInfo, ModelFile
from services.face_analysis.domain.faces import AttributeGuess, Face, Quality, normalised
from services.face_analysis.domain.metric import IdentityMetric
from services.face_analysis.domain.photos import AnalyzedPhoto, ImageAnalysis

INFO = BackendInfo(
    name="scripted",
    embedding_model="scripted-v1",
    embedding_dimension=8,
    same_person_similarity=0.9,
    metric=IdentityMetric(0.8),
    min_face_px=40,
    models=(ModelFile("scripted-v1", "embedding", "Apache-2.0"),),
)
GOOD = {
    "sharpness": 0.9,
    "exposure": 1.0,
    "mean_luminance": 0.5,
    "size_px": 130.0,
    "yaw_deg": 2.0,
    "pitch_deg": -3.0,
    "roll_deg": 1.0,
    "landmark_confidence": 0.9,
    "overall": 0.9,
}


def embedding(person: int, view: int = 0, wobble: float = 0.1) -> np.ndarray:
    """A unit vector near the axis of a person; views differ by *wobble*."""
    axis = np.eye(8)[person]
    noise = np.random.default_rng(100 * person + view).normal(0, 1, 8)
    return normalised((axis + wobble * noise / np.linalg.norm(noise))[None])[0]


def face(person: int = 0, view: int = 0, *, side: float = 130.0, attributes=None, **quality) -> Face:
    return Face(
        box_px=(10.0, 20.0, 10.0 + side, 20.0 + side),
        landmarks_px=np.array([[40, 50], [90, 50], [65, 80], [45, 105], [85, 105]], np.float32),
        embedding=embedding(person, view),
        detection_confidence=0.8,
        quality=Quality(**{**GOOD, "size_px": side, **quality}),
        attributes=attributes or {},
    )


def photo(name: str, *faces: Face, rotation_deg: int = 0, file: str | None = None) -> AnalyzedPhoto:
    digest = hashlib.sha256((file or name).encode()).hexdigest()
    return AnalyzedPhoto(name, digest, ImageAnalysis(faces, 256, 256, rotation_deg))


def guess(**scores: float) -> AttributeGuess:
    return AttributeGuess(scores)
