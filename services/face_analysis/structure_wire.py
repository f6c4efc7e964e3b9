"""The structure of a face and its marks as likeness.common.v1 messages; pure functions."""

import cv2
from likeness.common.v1 import face_pb2, image_pb2

from services.face_analysis.domain.findings import DenseLandmarks, PartMap, SkinMark


def to_proto_dense(landmarks: DenseLandmarks) -> face_pb2.DenseLandmarks:
    """All points with their visibility."""
    return face_pb2.DenseLandmarks(
        scheme=landmarks.scheme,
        points=[image_pb2.Point(x=float(x), y=float(y)) for x, y in landmarks.points_px],
        visibility=landmarks.visibility.tolist(),
    )


def to_proto_parts(parts: PartMap) -> face_pb2.PartMap:
    """The map as an 8-bit grey PNG, with its square."""
    is_encoded, png = cv2.imencode(".png", parts.labels)
    assert is_encoded, "an 8-bit grey picture always can be encoded"
    x0, y0, x1, y1 = parts.box_px
    return face_pb2.PartMap(
        image=image_pb2.Image(data=png.tobytes()),
        box=image_pb2.Box(x0=x0, y0=y0, x1=x1, y1=y1),
        parts=parts.names,
    )


def to_proto_mark(mark: SkinMark) -> face_pb2.SkinMark:
    """One mark."""
    return face_pb2.SkinMark(
        kind=mark.kind,
        center=image_pb2.Point(x=mark.x_px, y=mark.y_px),
        radius_px=mark.radius_px,
        confidence=mark.confidence,
    )
