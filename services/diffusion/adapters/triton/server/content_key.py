"""Names adapters by their content: who can name one has it already."""

import hashlib
import struct
from collections.abc import Mapping
from typing import Any

# A SHA-256 as four signed 64-bit integers: tensors of bytes cannot cross Triton's border through DLPack.
Key = tuple[int, int, int, int]
NO_KEY: Key = (0, 0, 0, 0)
# Keys of a row on the wire; a row with more adapters takes them along in the message.
ADAPTERS_PER_ROW = 8


def content_key(parts: Mapping[str, Any]) -> Key:
    """Key of an adapter's packed matrices, numpy float32 [r, width] by graph input, without empty ones."""
    digest = hashlib.sha256()
    for name in sorted(parts):
        rank, width = parts[name].shape
        digest.update(f"{name} {rank} {width}\n".encode())
        digest.update(parts[name].tobytes())
    first, second, third, fourth = struct.unpack("<4q", digest.digest())
    return (first, second, third, fourth)
