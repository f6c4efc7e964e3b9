"""Between the domain's faces and pictures and the messages of likeness.common.v1."""

from collections.abc import Iterable

from likeness.common.v1 import face_pb2, image_pb2

from services.orchestrator.domain.faces import (
    Attribute,
    BlobRef,
    Embedding,
    Face,
    Picture,
    Point,
    Quality,
    Refusal,
    Structure,
)
from shared.artifacts import ArtifactStore
from shared.wire import INLINE_LIMIT_BYTES, read_bytes


def to_ref(ref: BlobRef) -> image_pb2.ArtifactRef:
    """Convert a blob's reference."""
    return image_pb2.ArtifactRef(
        uri=ref.uri, sha256=ref.sha256, size_bytes=ref.size_bytes, media_type=ref.media_type
    )


def from_ref(message: image_pb2.ArtifactRef) -> BlobRef:
    """Convert a blob's reference."""
    return BlobRef(
        uri=message.uri,
        sha256=message.sha256,
        size_bytes=message.size_bytes,
        media_type=message.media_type,
    )


def to_image(picture: Picture, *, inline: bool = True) -> image_pb2.Image:
    """Convert a picture: by reference where it is over 4 MiB or ``inline`` is False, if it has one.

    Raises:
        ValueError: The picture is over 4 MiB and has no reference.
    """
    if picture.ref is not None and (not inline or len(picture.data) > INLINE_LIMIT_BYTES):
        return image_pb2.Image(artifact=to_ref(picture.ref), name=picture.name)
    if len(picture.data) > INLINE_LIMIT_BYTES:
        raise ValueError(f"{picture.name}: {len(picture.data)} bytes do not travel inline")
    return image_pb2.Image(data=picture.data, name=picture.name)


async def read(image: image_pb2.Image, store: ArtifactStore, tenant: str) -> bytes:
    """Return the encoded picture, inline or stored."""
    return await read_bytes(image, position="picture", store=store, tenant=tenant)


def to_embedding(embedding: Embedding) -> image_pb2.Embedding:
    """Convert an embedding."""
    return image_pb2.Embedding(values=embedding.values, model=embedding.model)


def from_embedding(message: image_pb2.Embedding) -> Embedding:
    """Convert an embedding."""
    return Embedding(values=tuple(message.values), model=message.model)


def to_landmarks(face: Face) -> face_pb2.FaceLandmarks:
    """Convert the five landmarks of a face."""
    eye_l, eye_r, nose, mouth_l, mouth_r = (image_pb2.Point(x=x, y=y) for x, y in face.landmarks_px)
    return face_pb2.FaceLandmarks(
        left_eye=eye_l, right_eye=eye_r, nose=nose, mouth_left=mouth_l, mouth_right=mouth_r
    )


def to_face(face: Face) -> face_pb2.Face:
    """Convert a face."""
    x0, y0, x1, y1 = face.box_px
    message = face_pb2.Face(
        box=image_pb2.Box(x0=x0, y0=y0, x1=x1, y1=y1),
        landmarks=to_landmarks(face),
        detection_confidence=face.detection_confidence,
        quality=_to_quality(face.quality),
        attributes=to_attributes(face.attributes),
    )
    if face.embedding is not None:
        message.embedding.CopyFrom(to_embedding(face.embedding))
    if face.comparison_embedding is not None:
        message.comparison_embedding.CopyFrom(to_embedding(face.comparison_embedding))
    if face.structure is not None:
        message.MergeFromString(face.structure.message)
    return message


def from_face(message: face_pb2.Face) -> Face:
    """Convert a face."""
    box, marks, quality = message.box, message.landmarks, message.quality
    return Face(
        box_px=(box.x0, box.y0, box.x1, box.y1),
        landmarks_px=(
            _point(marks.left_eye),
            _point(marks.right_eye),
            _point(marks.nose),
            _point(marks.mouth_left),
            _point(marks.mouth_right),
        ),
        embedding=from_embedding(message.embedding) if message.HasField("embedding") else None,
        comparison_embedding=(
            from_embedding(message.comparison_embedding) if message.HasField("comparison_embedding") else None
        ),
        detection_confidence=message.detection_confidence,
        quality=_from_quality(quality),
        attributes=from_attributes(message.attributes),
        structure=_structure(message),
    )


def _to_quality(quality: Quality) -> face_pb2.FaceQuality:
    return face_pb2.FaceQuality(
        **quality.model_dump(exclude={"defects"}, exclude_none=True),
        defects=[face_pb2.FaceDefect(name=name, strength=value) for name, value in quality.defects.items()],
    )


def _from_quality(message: face_pb2.FaceQuality) -> Quality:
    measured = {name: getattr(message, name) for name in Quality.model_fields if name != "defects"}
    if not message.HasField("judged"):
        del measured["judged"]
    return Quality(**measured, defects={defect.name: defect.strength for defect in message.defects})


def _structure(message: face_pb2.Face) -> Structure | None:
    if not (
        message.HasField("dense_landmarks") or message.HasField("part_map") or message.has_marks_searched
    ):
        return None
    part = face_pb2.Face(marks=message.marks, has_marks_searched=message.has_marks_searched)
    for field in ("dense_landmarks", "part_map"):
        if message.HasField(field):
            getattr(part, field).CopyFrom(getattr(message, field))
    return Structure(part.SerializeToString(deterministic=True))


def to_attributes(attributes: Iterable[Attribute]) -> list[face_pb2.FaceAttribute]:
    """Convert attributes."""
    return [
        face_pb2.FaceAttribute(name=item.name, value=item.value, confidence=item.confidence)
        for item in attributes
    ]


def from_attributes(messages: Iterable[face_pb2.FaceAttribute]) -> tuple[Attribute, ...]:
    """Convert attributes."""
    return tuple(Attribute(name=item.name, value=item.value, confidence=item.confidence) for item in messages)


def to_refusal(refusal: Refusal) -> face_pb2.Refusal:
    """Convert a refusal."""
    return face_pb2.Refusal(reason=refusal.reason, message=refusal.message, metadata=refusal.metadata)


def from_refusal(message: face_pb2.Refusal) -> Refusal:
    """Convert a refusal."""
    return Refusal(reason=message.reason, message=message.message, metadata=dict(message.metadata))


def from_refusals(messages: Iterable[face_pb2.Refusal]) -> tuple[Refusal, ...]:
    """Convert refusals."""
    return tuple(from_refusal(message) for message in messages)


def _point(message: image_pb2.Point) -> Point:
    return (message.x, message.y)
