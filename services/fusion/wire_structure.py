"""The structure of a face between likeness.common.v1 messages and the domain; pure functions."""

from __future__ import annotations

import cv2
import numpy as np
from likeness.common.v1 import face_pb2

from services.fusion.domain.structure import SCHEME, DenseLandmarks, FoundMark, PartMap, mean_face
from shared.errors.common import FieldInvalid

# A map over this would be a mistake: the nets' own have 160 px a side.
_MAX_MAP_PX = 1024
_PNG_START = b"\x89PNG\r\n\x1a\n"


def dense_from_proto(message: face_pb2.Face) -> DenseLandmarks | None:
    """Dense landmarks of the known scheme; None where there are none, or of another scheme.

    Raises:
        FieldInvalid: their number is not the scheme's, or a number is not finite.
    """
    dense = message.dense_landmarks
    if dense.scheme != SCHEME:
        return None
    points = np.array([(point.x, point.y) for point in dense.points], np.float32)
    visibility = np.array(dense.visibility, np.float32)
    count = len(mean_face().names)
    if len(points) != count or len(visibility) != count:
        raise FieldInvalid(
            field="faces.dense_landmarks", problem=f"{SCHEME} has {count} points, each with a visibility"
        )
    if not (np.isfinite(points).all() and np.isfinite(visibility).all()):
        raise FieldInvalid(field="faces.dense_landmarks", problem="a number is not finite")
    return DenseLandmarks(points, visibility)


def parts_from_proto(message: face_pb2.Face) -> PartMap | None:
    """The part map; None where there is none.

    Raises:
        FieldInvalid: it is no square 8-bit grey PNG sent inline, its box is empty, or a pixel has no part.
    """
    if not message.HasField("part_map"):
        return None
    sent, box = message.part_map, message.part_map.box
    labels = _read_map(sent.image.data)
    if labels.max(initial=0) >= len(sent.parts):
        raise FieldInvalid(field="faces.part_map", problem="a pixel's value names no part")
    edges = (box.x0, box.y0, box.x1, box.y1)
    if not np.isfinite(edges).all() or box.x1 - box.x0 < 1 or box.y1 - box.y0 < 1:
        raise FieldInvalid(field="faces.part_map.box", problem="the box is empty")
    return PartMap(labels, edges, tuple(sent.parts))


def marks_from_proto(message: face_pb2.Face) -> tuple[FoundMark, ...] | None:
    """The marks; None where they were not looked for."""
    if not (message.has_marks_searched or message.marks):
        return None
    return tuple(
        FoundMark(mark.kind, mark.center.x, mark.center.y, mark.radius_px, mark.confidence)
        for mark in message.marks
    )


def _read_map(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    wrong = FieldInvalid(
        field="faces.part_map.image", problem=f"no inline square 8-bit grey PNG of at most {_MAX_MAP_PX} px"
    )
    # The header is read first: a small file may unpack to gigabytes.
    if not data.startswith(_PNG_START) or len(data) < 26:
        raise wrong
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    if not (0 < width == height <= _MAX_MAP_PX and data[24] == 8 and data[25] == 0):
        raise wrong
    labels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if labels is None or labels.ndim != 2 or labels.dtype != np.uint8:
        raise wrong
    return np.asarray(labels, np.uint8)
