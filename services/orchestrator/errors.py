"""Errors of the orchestrator."""

from shared.errors import ErrorReason, LikenessError
from shared.errors.common import (
    CapabilityUnavailable,
    DeadlineExceeded,
    HistoryGone,
    InternalError,
    PageTokenInvalid,
    QueueFull,
    RequestIdReused,
    UploadBroken,
    ValueOutOfRange,
)

__all__ = [
    "CapabilityUnavailable",
    "DeadlineExceeded",
    "EmptyPhotoSet",
    "HistoryGone",
    "InternalError",
    "NoCandidatePassed",
    "NoUsablePhoto",
    "PageTokenInvalid",
    "QueueFull",
    "RequestIdReused",
    "TrainingFailed",
    "UnknownAdapter",
    "UnknownIdentity",
    "UnknownModel",
    "UnknownPortrait",
    "UnknownStyle",
    "UploadBroken",
    "ValueOutOfRange",
]


class EmptyPhotoSet(LikenessError):
    """An identity was to be made of no photo."""

    reason = ErrorReason.EMPTY_PHOTO_SET


class NoUsablePhoto(LikenessError):
    """No photo of a set can be used. Metadata: count, refusals."""

    reason = ErrorReason.NO_USABLE_PHOTO


class UnknownIdentity(LikenessError):
    """The tenant has no such identity. Metadata: identity."""

    reason = ErrorReason.UNKNOWN_IDENTITY


class UnknownPortrait(LikenessError):
    """The tenant has no such portrait. Metadata: portrait."""

    reason = ErrorReason.UNKNOWN_PORTRAIT


class UnknownStyle(LikenessError):
    """There is no such style. Metadata: style, known."""

    reason = ErrorReason.UNKNOWN_STYLE


class UnknownModel(LikenessError):
    """The diffusion service has no such model. Metadata: model, known."""

    reason = ErrorReason.UNKNOWN_MODEL


class UnknownAdapter(LikenessError):
    """The base model ships no such adapter. Metadata: adapter."""

    reason = ErrorReason.UNKNOWN_ADAPTER


class NoCandidatePassed(LikenessError):
    """No candidate passed gate and checks. Metadata: count, rejections, gate, best_similarity."""

    reason = ErrorReason.NO_CANDIDATE_PASSED


class TrainingFailed(LikenessError):
    """A training job ended without an adapter. Metadata: training_job, cause."""

    reason = ErrorReason.TRAINING_FAILED
