"""Errors of the artifact store."""

from shared.errors import ErrorReason, LikenessError


class UnknownArtifact(LikenessError):
    """No such artifact of this tenant. Metadata: artifact."""

    reason = ErrorReason.UNKNOWN_ARTIFACT
