"""Faces as the fakes tell of them, read from the pixels, and refusals about them."""

import hashlib
from collections.abc import Sequence

import numpy as np
from likeness.common.v1 import face_pb2, image_pb2
from likeness.face_analysis.v1 import face_analysis_pb2

from tests.support.fake_services.fakes import Fakes

# Numbers of an embedding, one direction for each person.
DIMENSION = 8


def _embedding(person: int, rgb: np.ndarray) -> np.ndarray:
    """The person's own direction, a little noise, and the further off the less alike the picture is."""
    digest = hashlib.sha256(rgb.tobytes()).digest()
    vector = np.frombuffer(digest[:DIMENSION], np.uint8).astype(np.float32) / 255 * 0.05
    vector[person % DIMENSION] += 1
    vector[(person + DIMENSION // 2) % DIMENSION] += 0.6 * (1 - rgb[0, 3, 0] / 255)
    return vector / np.linalg.norm(vector)


def _face(person: int, rgb: np.ndarray, fakes: Fakes, wanted: Sequence[int]) -> face_pb2.Face:
    face = _plain_face(person, rgb)
    vector = _embedding(person, rgb)
    face.embedding.CopyFrom(image_pb2.Embedding(values=vector, model=fakes.embedder))
    # Another order of the same numbers: whoever mixes the two up compares a person with somebody else.
    fitted = image_pb2.Embedding(values=np.roll(vector, 1), model=fakes.comparison)
    face.comparison_embedding.CopyFrom(fitted)
    if face_analysis_pb2.FACE_FEATURE_STRUCTURE in wanted:
        points = [image_pb2.Point(x=x, y=y) for x, y in ((1, 2), (3, 4), (5, 6), (7, 8), (9, 10))]
        dense = face_pb2.DenseLandmarks(scheme="fake-5", points=points, visibility=[1] * 5)
        face.dense_landmarks.CopyFrom(dense)
    if face_analysis_pb2.FACE_FEATURE_MARKS in wanted:
        face.has_marks_searched = True
        face.marks.add(kind="mole", center=image_pb2.Point(x=20, y=30), radius_px=1.5, confidence=0.9)
    return face


def _plain_face(person: int, rgb: np.ndarray) -> face_pb2.Face:
    side = rgb.shape[0]
    point = lambda x, y: image_pb2.Point(x=x * side, y=y * side)  # noqa: E731
    return face_pb2.Face(
        box=image_pb2.Box(x0=0.2 * side, y0=0.2 * side, x1=0.8 * side, y1=0.8 * side),
        landmarks=face_pb2.FaceLandmarks(
            left_eye=point(0.35, 0.4),
            right_eye=point(0.65, 0.4),
            nose=point(0.5, 0.55),
            mouth_left=point(0.4, 0.7),
            mouth_right=point(0.6, 0.7),
        ),
        detection_confidence=1.0,
        quality=face_pb2.FaceQuality(
            sharpness=1, exposure=1, size_px=0.6 * side, overall=1, judged=rgb[0, 4, 0] / 100
        ),
        attributes=[
            face_pb2.FaceAttribute(name="sex", value="female", confidence=0.9),
            face_pb2.FaceAttribute(name="age", value="young", confidence=0.8),
            face_pb2.FaceAttribute(name="hair_color", value="red", confidence=0.9),
            face_pb2.FaceAttribute(name="hair_style", value="bob", confidence=0.9),
            face_pb2.FaceAttribute(name="glasses", value="none", confidence=0.1),
        ],
    )


def faces_of(rgb: np.ndarray, fakes: Fakes, wanted: Sequence[int] = ()) -> list[face_pb2.Face]:
    """The faces that a picture says it has; structure and marks only if they are among *wanted*."""
    count, person = int(rgb[0, 0, 0]), int(rgb[0, 1, 0])
    return [_face(person + position, rgb, fakes, wanted) for position in range(min(count, 3))]


def refusal_of(reason: str) -> face_pb2.Refusal:
    """A refusal as a service words it."""
    return face_pb2.Refusal(reason=reason, message=f"{reason}: said the fake.", metadata={"image": "x"})
