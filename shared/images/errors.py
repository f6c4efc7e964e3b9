"""Why bytes were not taken as an image."""

from shared.errors import ErrorReason, LikenessError


class ImageUnreadable(LikenessError):
    """Not an image, or a damaged one. Metadata: image."""

    reason = ErrorReason.IMAGE_UNREADABLE


class ImageTruncated(LikenessError):
    """The file ends early. Metadata: image."""

    reason = ErrorReason.IMAGE_TRUNCATED


class ImageTooLarge(LikenessError):
    """Over a limit, found before decoding. Metadata: image, size, limit."""

    reason = ErrorReason.IMAGE_TOO_LARGE


class ImageFormatUnsupported(LikenessError):
    """A known format that is not decoded. Metadata: image, format, advice."""

    reason = ErrorReason.IMAGE_FORMAT_UNSUPPORTED
