"""What can go wrong in lora_training beyond the errors that every service has (shared.errors.common)."""

from shared.errors import ErrorReason, LikenessError


class UnknownTrainingJob(LikenessError):
    """The tenant has no such job. Metadata: training_job."""

    reason = ErrorReason.UNKNOWN_TRAINING_JOB


class UnknownModel(LikenessError):
    """No such base model is installed. Metadata: model, known."""

    reason = ErrorReason.UNKNOWN_MODEL


class TrainingFailed(LikenessError):
    """The worker ended without a result. Metadata: training_job, cause."""

    reason = ErrorReason.TRAINING_FAILED


class HyperParameterOutOfRange(LikenessError):
    """A hyper-parameter is outside its range. Metadata: field, value, range."""

    reason = ErrorReason.VALUE_OUT_OF_RANGE


class CaptionTooLong(LikenessError):
    """A caption has more tokens than the text encoder reads. Metadata: field, tokens, limit."""

    reason = ErrorReason.PROMPT_TOO_LONG


class UnknownAdapter(LikenessError):
    """The base model ships no such adapter to start from. Metadata: adapter."""

    reason = ErrorReason.UNKNOWN_ADAPTER


class AdapterIncompatible(LikenessError):
    """A training cannot start from this adapter. Metadata: adapter, cause."""

    reason = ErrorReason.ADAPTER_INCOMPATIBLE


class ModelNotTrainable(LikenessError):
    """The model folder cannot be trained on. Metadata: capability, needed."""

    reason = ErrorReason.CAPABILITY_UNAVAILABLE
