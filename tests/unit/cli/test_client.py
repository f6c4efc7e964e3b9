"""Uploads carry every byte once, in order, with sizes and digests."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from cli.client import CHUNK_BYTES, Photo, upload_parts


@given(st.lists(st.integers(1, 3 * CHUNK_BYTES + 1), min_size=1, max_size=3))
def test_upload_parts_restore_the_photos(sizes: list[int]) -> None:
    photos = [Photo(f"{index}.png", bytes([index + 1]) * size) for index, size in enumerate(sizes)]
    parts = list(upload_parts(photos, "Ada", "r1"))
    assert parts[0].header.display_name == "Ada"
    received: list[bytes] = []
    for part in parts[1:]:
        if part.WhichOneof("part") == "photo":
            received.append(b"")
            digest = hashlib.sha256(photos[len(received) - 1].data).hexdigest()
            assert part.photo.sha256 == digest
        else:
            received[-1] += part.chunk
    assert received == [photo.data for photo in photos]
