"""Between likeness.common.v1 messages and Python values that every service uses."""

from shared.wire.images import INLINE_LIMIT_BYTES, read_bytes, read_image, write_bytes, write_image
from shared.wire.refusals import to_refusal

__all__ = ["INLINE_LIMIT_BYTES", "read_bytes", "read_image", "to_refusal", "write_bytes", "write_image"]
