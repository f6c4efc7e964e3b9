"""Times, references, refusals and stages."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from likeness.common.v1 import face_pb2, image_pb2
from likeness.orchestrator.v1 import resources_pb2 as res

from services.orchestrator.domain.faces import BlobRef, Refusal
from services.orchestrator.domain.portrait import Stage


def to_stage(stage: Stage | None) -> Any:
    """Convert a stage."""
    return res.STAGE_UNSPECIFIED if stage is None else res.Stage.Value(f"STAGE_{stage.value}")


def to_time(when: datetime | None) -> Timestamp | None:
    """Convert a time."""
    if when is None:
        return None
    message = Timestamp()
    message.FromDatetime(when)
    return message


def to_duration(seconds: float | None) -> Duration | None:
    """Convert seconds."""
    if seconds is None:
        return None
    message = Duration()
    message.FromNanoseconds(round(seconds * 1e9))
    return message


def to_ref(ref: BlobRef | None) -> image_pb2.ArtifactRef | None:
    """Convert a blob's reference."""
    return None if ref is None else image_pb2.ArtifactRef(**ref.model_dump())


def to_refusal(refusal: Refusal | None) -> face_pb2.Refusal | None:
    """Convert a refusal."""
    return None if refusal is None else face_pb2.Refusal(**refusal.model_dump())


def to_refusals(refusals: Iterable[Refusal]) -> list[face_pb2.Refusal]:
    """Convert refusals."""
    return [face_pb2.Refusal(**refusal.model_dump()) for refusal in refusals]
