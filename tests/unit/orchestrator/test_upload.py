"""Uploads are put together, or refused with the reason."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orchestrator.domain.upload import BrokenUpload, Chunk, Header, PhotoStart, UploadAssembler


def start(data: bytes, name: str = "") -> PhotoStart:
    return PhotoStart(name, len(data), hashlib.sha256(data).hexdigest())


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=5), st.integers(1, 60))
def test_photos_come_out_as_they_went_in(photos, chunk):
    assembler = UploadAssembler(max_photos=5, max_bytes=1000)
    assembler.add(Header("Ada", "r"))
    for number, data in enumerate(photos):
        assembler.add(start(data, str(number)))
        for at in range(0, len(data), chunk):
            assembler.add(Chunk(data[at : at + chunk]))

    header, pictures, _ = assembler.finish()

    assert header == Header("Ada", "r")
    assert [picture.data for picture in pictures] == photos
    assert [picture.name for picture in pictures] == [str(number) for number in range(len(photos))]


def test_all_photos_together_are_bounded_before_they_are_received():
    assembler = UploadAssembler(max_photos=5, max_bytes=1 << 20)
    assembler.add(Header("", ""))
    with pytest.raises(BrokenUpload, match="1 MiB"):
        assembler.add(PhotoStart("", (1 << 20) + 1, "0" * 64))


def test_the_digest_tells_bodies_apart():
    digests = set()
    for name, data in (("a", b"1"), ("b", b"1"), ("a", b"2")):
        assembler = UploadAssembler(5, 1000)
        assembler.add(Header("", ""))
        assembler.add(start(data, name))
        assembler.add(Chunk(data))
        digests.add(assembler.finish()[2])

    assert len(digests) == 3
