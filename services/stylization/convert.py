"""Between likeness.stylization.v1 messages and the domain; pure functions."""

from __future__ import annotations

from likeness.common.v1 import image_pb2
from likeness.stylization.v1 import stylization_pb2 as pb

from services.stylization.domain import Effect
from shared.errors import LikenessError


def strength_from_proto(message: pb.StylizeRequest | pb.StylizeStreamRequest) -> float:
    """The blend that is asked for, by default the whole drawing."""
    return message.strength if message.HasField("strength") else 1.0


def effect_to_proto(effect: Effect) -> pb.Effect:
    """One installed effect."""
    return pb.Effect(name=effect.name, description=effect.description, licence=effect.licence)


def frame_to_proto(sequence: int, image: image_pb2.Image) -> pb.StylizeStreamResponse:
    """A drawn frame."""
    return pb.StylizeStreamResponse(sequence=sequence, frame=image)


def failed_frame_to_proto(sequence: int, error: LikenessError) -> pb.StylizeStreamResponse:
    """A frame that has no drawing, and why."""
    failure = pb.FrameError(reason=str(error.reason), message=error.message)
    return pb.StylizeStreamResponse(sequence=sequence, error=failure)
