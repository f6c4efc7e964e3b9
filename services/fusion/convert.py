"""Between likeness.fusion.v1 messages and the domain; pure functions."""

from __future__ import annotations

import numpy as np
from likeness.common.v1 import face_pb2, image_pb2

from services.fusion import wire_structure
from services.fusion.domain.face import Face, FloatArray
from services.fusion.wire_rank import compared_embedding
from shared.errors.common import FieldInvalid


def face_from_proto(message: face_pb2.Face, *, needs_embedding: bool = False) -> Face:
    """A face; pose and quality that are not measured count as frontal and fit.

    Raises:
        FieldInvalid: numbers that are not finite, or an embedding of length 0 where one is needed.
    """
    marks = message.landmarks
    points = (marks.left_eye, marks.right_eye, marks.nose, marks.mouth_left, marks.mouth_right)
    landmarks = np.array([(p.x, p.y) for p in points], np.float32)
    box = (message.box.x0, message.box.y0, message.box.x1, message.box.y1)
    quality = message.quality
    values = [*box, quality.overall, quality.yaw_degrees, quality.pitch_degrees]
    if not (np.isfinite(landmarks).all() and np.isfinite(values).all()):
        raise FieldInvalid(field="faces", problem="a number is not finite")
    embedding = np.zeros(0, np.float32)
    compared = compared_embedding(message)
    if needs_embedding or compared.values:
        embedding = embedding_from_proto(compared, field="faces.embedding")
    identity = np.zeros(0, np.float32)
    if message.embedding.values:
        identity = embedding_from_proto(message.embedding, field="faces.embedding")
    measured = message.HasField("quality")
    return Face(
        box,
        landmarks,
        embedding,
        quality.overall if measured else 1.0,
        quality.yaw_degrees,
        quality.pitch_degrees,
        judged_quality=quality.judged if quality.HasField("judged") else None,
        defects={defect.name: defect.strength for defect in quality.defects},
        # No picture has none at all: an exact 0 is a field that was left empty.
        sharpness=quality.sharpness or None,
        attributes={attribute.name: attribute.value for attribute in message.attributes},
        dense=wire_structure.dense_from_proto(message),
        parts=wire_structure.parts_from_proto(message),
        marks=wire_structure.marks_from_proto(message),
        identity_embedding=identity,
    )


def embedding_from_proto(message: image_pb2.Embedding, *, field: str) -> FloatArray:
    """The unit vector (D,) of an embedding.

    Raises:
        FieldInvalid: it is empty, of length 0 or not finite, so that no cosine exists.
    """
    vector = np.array(message.values, np.float64)
    norm = float(np.linalg.norm(vector)) if vector.size else 0.0
    if not (np.isfinite(norm) and norm > 1e-9):
        raise FieldInvalid(field=field, problem="the embedding is empty, of length 0 or not finite")
    return np.asarray(vector / norm, np.float32)
