"""Errors that any service may raise."""

from collections.abc import Sequence

from shared.errors.base import FieldViolation, LikenessError
from shared.errors.reasons import ErrorReason

_MAX_VIOLATIONS = 16


class FieldInvalid(LikenessError):
    """A request field breaks a rule. Metadata: field, problem (of the first violation)."""

    reason = ErrorReason.FIELD_INVALID

    @classmethod
    def of(cls, violations: Sequence[FieldViolation]) -> "FieldInvalid":
        """One error for all *violations* (at least one; the first 16 reach the caller)."""
        error = cls(field=violations[0].field, problem=violations[0].problem)
        error.violations = tuple(violations[:_MAX_VIOLATIONS])
        return error


class ValueOutOfRange(LikenessError):
    """A value is outside its range. Metadata: field, value, range ("1..8")."""

    reason = ErrorReason.VALUE_OUT_OF_RANGE


class RequestIdReused(LikenessError):
    """The idempotency key came with another body. Metadata: request_id."""

    reason = ErrorReason.REQUEST_ID_REUSED


class PageTokenInvalid(LikenessError):
    """The page token is not one of this listing."""

    reason = ErrorReason.PAGE_TOKEN_INVALID


class UploadBroken(LikenessError):
    """A client stream ended early or in the wrong order. Metadata: cause."""

    reason = ErrorReason.UPLOAD_BROKEN


class IllegalState(LikenessError):
    """The resource's state forbids it. Metadata: resource, state, action ("cancelled")."""

    reason = ErrorReason.ILLEGAL_STATE


class HistoryGone(LikenessError):
    """The events after a resume token are no longer kept."""

    reason = ErrorReason.HISTORY_GONE


class DeadlineTooShort(LikenessError):
    """The deadline cannot be met. Metadata: remaining_s, needed_s."""

    reason = ErrorReason.DEADLINE_TOO_SHORT


class DeadlineExceeded(LikenessError):
    """The deadline passed."""

    reason = ErrorReason.DEADLINE_EXCEEDED


class QueueFull(LikenessError):
    """No room to wait. Metadata: queue, limit; give *retry_after_s* too."""

    reason = ErrorReason.QUEUE_FULL


class NotWarm(LikenessError):
    """The service is still loading. Metadata: service."""

    reason = ErrorReason.NOT_WARM


class Draining(LikenessError):
    """The server is shutting down."""

    reason = ErrorReason.DRAINING


class ModelMissing(LikenessError):
    """A model file is absent; none is ever fetched silently. Metadata: file, licence, command."""

    reason = ErrorReason.MODEL_MISSING


class CapabilityUnavailable(LikenessError):
    """This server is not set up for it. Metadata: capability, needed."""

    reason = ErrorReason.CAPABILITY_UNAVAILABLE


class InternalError(LikenessError):
    """Something we did not foresee; the text is in the log under the id. Metadata: error_id."""

    reason = ErrorReason.INTERNAL
