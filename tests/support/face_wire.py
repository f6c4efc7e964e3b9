"""Faces as messages."""

from __future__ import annotations

import numpy as np
from likeness.common.v1 import face_pb2, image_pb2
from likeness.fusion.v1 import fusion_pb2 as pb

from services.fusion.domain.face import Face
from services.fusion.domain.structure import SCHEME
from shared.images import encode_png


def _box(edges):
    x0, y0, x1, y1 = edges
    return image_pb2.Box(x0=x0, y0=y0, x1=x1, y1=y1)


def face_message(face: Face) -> face_pb2.Face:
    """The message that gives `services.fusion.convert.face_from_proto` the same face, marks left out."""
    points = [image_pb2.Point(x=x, y=y) for x, y in face.landmarks5]
    names = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
    message = face_pb2.Face(
        box=_box(face.box_px),
        landmarks=face_pb2.FaceLandmarks(**dict(zip(names, points, strict=True))),
        quality=face_pb2.FaceQuality(
            overall=face.quality, yaw_degrees=face.yaw_deg, pitch_degrees=face.pitch_deg
        ),
    )
    if face.dense is not None:
        message.dense_landmarks.scheme = SCHEME
        message.dense_landmarks.points.extend(image_pb2.Point(x=x, y=y) for x, y in face.dense.points)
        message.dense_landmarks.visibility.extend(face.dense.visibility)
    if face.parts is not None:
        message.part_map.image.data = grey_png(face.parts.labels)
        message.part_map.box.CopyFrom(_box(face.parts.box_px))
        message.part_map.parts.extend(face.parts.names)
    if face.identity_embedding.size:
        message.embedding.values.extend(face.identity_embedding)
    return message


def grey_png(labels: np.ndarray) -> bytes:
    """An 8-bit grey PNG."""
    import cv2

    return cv2.imencode(".png", labels)[1].tobytes()


def faced_message(image: np.ndarray, *faces: Face, name: str = "", **how) -> pb.FacedImage:
    """A picture with its faces; *how* are further fields."""
    picture = image_pb2.Image(data=encode_png(image), name=name)
    return pb.FacedImage(image=picture, faces=[face_message(face) for face in faces], **how)
