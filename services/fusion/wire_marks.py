"""Marks of the skin between likeness.fusion.v1 messages and the domain; pure functions."""

from __future__ import annotations

from functools import partial

from likeness.common.v1 import image_pb2
from likeness.fusion.v1 import fusion_pb2 as pb

from services.fusion import convert
from services.fusion.domain.people import FacesOfPicture
from services.fusion.domain.placement import MarkSkip, PlacedMark
from services.fusion.engine.lazy_picture import LazyPicture
from services.fusion.engine.restore import Restored
from services.fusion.engine.texture import Retextured
from shared.images import decode_image, upright_size

_REASONS = {
    MarkSkip.TURNED_AWAY: pb.MARK_SKIP_TURNED_AWAY,
    MarkSkip.COVERED: pb.MARK_SKIP_COVERED,
    MarkSkip.OUTSIDE: pb.MARK_SKIP_OUTSIDE,
    MarkSkip.PRESENT: pb.MARK_SKIP_PRESENT,
    MarkSkip.TOO_SMALL: pb.MARK_SKIP_TOO_SMALL,
}


def picture_from_proto(message: pb.FacedImage, data: bytes, position: str) -> LazyPicture:
    """A picture whose file is *data*; *position* is how errors call it where it has no name.

    Raises:
        FieldInvalid: a face is broken. And what `upright_size` raises.
    """
    name = message.image.name or position
    faces = tuple(convert.face_from_proto(face) for face in message.faces)
    found = FacesOfPicture(name, faces, tuple(message.face_names))
    which = message.face_position if message.HasField("face_position") else None
    return LazyPicture(found, which, upright_size(data, name=name), partial(decode_image, data, name=name))


def retextured_to_proto(made: Retextured, image: image_pb2.Image) -> pb.RestoreTextureResponse:
    """The response of RestoreTexture."""
    return pb.RestoreTextureResponse(
        image=image,
        reference_index=made.reference_index,
        strength=made.strength,
        added_contrast=made.added_contrast,
    )


def restored_to_proto(restored: Restored, image: image_pb2.Image) -> pb.RestoreMarksResponse:
    """The response of RestoreMarks."""
    return pb.RestoreMarksResponse(
        image=image,
        marks=[_placed(mark) for mark in restored.marks if mark.reason is None],
        skipped=[_skipped(mark, mark.reason) for mark in restored.marks if mark.reason is not None],
    )


def _placed(mark: PlacedMark) -> pb.RestoredMark:
    return pb.RestoredMark(
        center=image_pb2.Point(x=mark.x_px, y=mark.y_px),
        radius_px=mark.radius_px,
        confidence=mark.mark.confidence,
        kind=mark.mark.kind,
        seen_in=mark.mark.seen_in,
    )


def _skipped(mark: PlacedMark, reason: MarkSkip) -> pb.SkippedMark:
    return pb.SkippedMark(
        center=image_pb2.Point(x=mark.x_px, y=mark.y_px),
        kind=mark.mark.kind,
        confidence=mark.mark.confidence,
        reason=_REASONS[reason],
    )
