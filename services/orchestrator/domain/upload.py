"""A streamed set of photos: a header, then for each photo its start and its chunks."""

import hashlib
from dataclasses import dataclass

from services.orchestrator.domain.faces import Picture


class BrokenUpload(Exception):
    """The parts do not add up; the text says why, in words for the client."""


@dataclass(frozen=True)
class Header:
    """Begins an upload."""

    display_name: str
    request_id: str


@dataclass(frozen=True)
class PhotoStart:
    """Begins a photo and declares its size and SHA-256 (hexadecimal)."""

    display_name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Chunk:
    """The next bytes of the photo that has begun."""

    data: bytes


Part = Header | PhotoStart | Chunk


class UploadAssembler:
    """Puts the parts together in memory: an upload that breaks leaves nothing behind."""

    def __init__(self, max_photos: int, max_bytes: int) -> None:
        self._max_photos = max_photos
        self._max_bytes = max_bytes
        self._header: Header | None = None
        self._start: PhotoStart | None = None
        self._chunks = bytearray()
        self._photos: list[Picture] = []
        self._digests: list[str] = []
        self._declared_bytes = 0

    def add(self, part: Part) -> None:
        """Take the next part.

        Raises:
            BrokenUpload: It is out of order, or a photo is not what its start declared.
        """
        match part:
            case Header():
                if self._header is not None:
                    raise BrokenUpload("it has a second header")
                self._header = part
            case PhotoStart():
                self._require_header()
                self._end_photo()
                self._begin(part)
            case Chunk():
                self._require_header()
                if self._start is None:
                    raise BrokenUpload("bytes come before the start of a photo")
                self._chunks += part.data
                if len(self._chunks) > self._start.size_bytes:
                    raise BrokenUpload(f"{self._label()} is longer than its declared size")

    def finish(self) -> tuple[Header, list[Picture], str]:
        """Return the header, the photos, and a digest of the whole upload.

        Raises:
            BrokenUpload: The last photo is not complete, or there was no header.
        """
        header = self._require_header()
        self._end_photo()
        names = [photo.name for photo in self._photos]
        body = "\n".join([header.display_name, *names, *self._digests])
        return header, self._photos, hashlib.sha256(body.encode()).hexdigest()

    def _require_header(self) -> Header:
        if self._header is None:
            raise BrokenUpload("it does not begin with a header")
        return self._header

    def _begin(self, start: PhotoStart) -> None:
        self._declared_bytes += start.size_bytes
        if len(self._photos) == self._max_photos:
            raise BrokenUpload(f"it has more than {self._max_photos} photos")
        if self._declared_bytes > self._max_bytes:
            raise BrokenUpload(f"its photos have more than {self._max_bytes >> 20} MiB together")
        self._start = start

    def _end_photo(self) -> None:
        if self._start is None:
            return
        if len(self._chunks) != self._start.size_bytes:
            raise BrokenUpload(
                f"{self._label()} ended after {len(self._chunks)} of {self._start.size_bytes} bytes"
            )
        data = bytes(self._chunks)
        if hashlib.sha256(data).hexdigest() != self._start.sha256:
            raise BrokenUpload(f"the bytes of {self._label()} do not have the declared SHA-256")
        self._photos.append(Picture(data, self._start.display_name))
        self._digests.append(self._start.sha256)
        self._start, self._chunks = None, bytearray()

    def _label(self) -> str:
        name = self._start.display_name if self._start else ""
        return name or f"image {len(self._photos) + 1}"
