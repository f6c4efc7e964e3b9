"""Typed errors of the stylization service."""

from __future__ import annotations

from shared.errors import ErrorReason, LikenessError


class UnknownStyle(LikenessError):
    """The effect is not installed. Metadata: style, known."""

    reason = ErrorReason.UNKNOWN_STYLE
