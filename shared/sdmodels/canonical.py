"""Bytes of safetensors files that follow from their content alone."""

import json
import struct


def canonical(data: bytes) -> bytes:
    """Sort the metadata of a safetensors file; the library's order changes from run to run."""
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # the format aligns tensor data to 8 bytes
    return struct.pack("<Q", len(text)) + text + data[8 + length :]
