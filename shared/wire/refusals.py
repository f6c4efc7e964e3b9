"""Errors that are told as part of a good answer: one refused photo, one rejected candidate."""

from __future__ import annotations

from likeness.common.v1 import face_pb2

from shared.errors import LikenessError


def to_refusal(error: LikenessError) -> face_pb2.Refusal:
    """Reason, text and metadata of *error* as a message."""
    return face_pb2.Refusal(reason=str(error.reason), message=error.message, metadata=error.metadata)
