"""Typed errors of this service; texts and status codes are in the shared catalogue."""

from shared.errors import ErrorReason, LikenessError
from shared.errors.common import (
    CapabilityUnavailable,
    DeadlineExceeded,
    Draining,
    FieldInvalid,
    ModelMissing,
    NotWarm,
    QueueFull,
    ValueOutOfRange,
)

__all__ = [
    "AdapterIncompatible",
    "BackendUnreachable",
    "CapabilityUnavailable",
    "DeadlineExceeded",
    "Draining",
    "FieldInvalid",
    "ModelMissing",
    "NotWarm",
    "PromptTooLong",
    "QueueFull",
    "UnknownAdapter",
    "UnknownModel",
    "ValueOutOfRange",
]


class UnknownModel(LikenessError):
    """Fields: model, known."""

    reason = ErrorReason.UNKNOWN_MODEL


class UnknownAdapter(LikenessError):
    """Fields: adapter."""

    reason = ErrorReason.UNKNOWN_ADAPTER


class AdapterIncompatible(LikenessError):
    """An adapter cannot be applied to the base model. Fields: adapter, cause."""

    reason = ErrorReason.ADAPTER_INCOMPATIBLE


class PromptTooLong(LikenessError):
    """Fields: field, tokens, limit (both without the start and end markers)."""

    reason = ErrorReason.PROMPT_TOO_LONG


class BackendUnreachable(LikenessError):
    """The server that evaluates the UNet does not answer. Fields: cause."""

    reason = ErrorReason.UNREACHABLE
