"""A typed, synchronous client of the orchestrator, for the command line and for scripts."""

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import grpc
from likeness.common.v1 import image_pb2
from likeness.orchestrator.v1 import orchestrator_pb2 as api
from likeness.orchestrator.v1 import orchestrator_pb2_grpc, resources_pb2

INLINE_LIMIT_BYTES = 4 * 1024 * 1024
MESSAGE_LIMIT_BYTES = 16 * 1024 * 1024
CHUNK_BYTES = 256 * 1024
CALL_TIMEOUT_S = 60.0
# A watch is opened again after a broken connection this many times in a row before the error is given up.
RECONNECT_ATTEMPTS = 5


@dataclass(frozen=True)
class Photo:
    """An encoded photo as read from disk; `name` is what reports call it."""

    name: str
    data: bytes


def read_photos(paths: Sequence[Path]) -> list[Photo]:
    """Reads files without looking inside: whether a photo is fit is the service's to say.

    Raises:
        FileNotFoundError: a path does not exist or is a folder.
    """
    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(f"{path} is not a file; name photo files, such as photos/*.jpg")
    return [Photo(path.name, path.read_bytes()) for path in paths]


class LikenessClient:
    """Calls the orchestrator for one tenant.

    Args:
        target: "HOST:PORT" of the orchestrator.
        tenant: tenant to act for; sees its own identities and portraits only.

    Every method raises `grpc.RpcError` as the service sent it; `cli.errors.explain` turns it into words.
    """

    def __init__(self, target: str, tenant: str = "default") -> None:
        options = [
            ("grpc.max_receive_message_length", MESSAGE_LIMIT_BYTES),
            ("grpc.max_send_message_length", MESSAGE_LIMIT_BYTES),
        ]
        self.target = target
        self._channel = grpc.insecure_channel(target, options=options)
        self._stub = orchestrator_pb2_grpc.OrchestratorServiceStub(self._channel)
        self._metadata = (("x-likeness-tenant", tenant),)

    def __enter__(self) -> "LikenessClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._channel.close()

    def create_identity(self, photos: Sequence[Photo], display_name: str = "") -> resources_pb2.Identity:
        """Creates an identity; large sets are streamed. Repeats are safe: one request_id per call."""
        request_id = str(uuid.uuid4())
        small = all(len(photo.data) <= INLINE_LIMIT_BYTES for photo in photos)
        if small and sum(len(photo.data) for photo in photos) < MESSAGE_LIMIT_BYTES // 2:
            request = api.CreateIdentityRequest(
                display_name=display_name,
                photos=[image_pb2.Image(data=photo.data, name=photo.name) for photo in photos],
                request_id=request_id,
            )
            return self._stub.CreateIdentity(request, timeout=CALL_TIMEOUT_S, metadata=self._metadata)
        parts = upload_parts(photos, display_name, request_id)
        return self._stub.UploadIdentity(parts, timeout=10 * CALL_TIMEOUT_S, metadata=self._metadata)

    def get_identity(self, name: str) -> resources_pb2.Identity:
        """Returns one identity."""
        request = api.GetIdentityRequest(name=name)
        return self._stub.GetIdentity(request, timeout=CALL_TIMEOUT_S, metadata=self._metadata)

    def list_identities(self) -> Iterator[resources_pb2.Identity]:
        """Yields all identities, the newest first, page by page."""
        token = ""
        while True:
            request = api.ListIdentitiesRequest(page_token=token)
            page = self._stub.ListIdentities(request, timeout=CALL_TIMEOUT_S, metadata=self._metadata)
            yield from page.identities
            token = page.next_page_token
            if not token:
                return

    def delete_identity(self, name: str) -> api.DeleteIdentityResponse:
        """Deletes an identity with everything that belongs to it; returns the receipt."""
        request = api.DeleteIdentityRequest(name=name)
        return self._stub.DeleteIdentity(request, timeout=CALL_TIMEOUT_S, metadata=self._metadata)

    def create_portrait(self, spec: resources_pb2.PortraitSpec) -> resources_pb2.Portrait:
        """Starts a portrait and returns at once."""
        request = api.CreatePortraitRequest(spec=spec, request_id=str(uuid.uuid4()))
        return self._stub.CreatePortrait(request, timeout=CALL_TIMEOUT_S, metadata=self._metadata)

    def get_portrait(self, name: str) -> resources_pb2.Portrait:
        """Returns one portrait."""
        request = api.GetPortraitRequest(name=name)
        return self._stub.GetPortrait(request, timeout=CALL_TIMEOUT_S, metadata=self._metadata)

    def cancel_portrait(self, name: str) -> resources_pb2.Portrait:
        """Cancels a portrait."""
        request = api.CancelPortraitRequest(name=name)
        return self._stub.CancelPortrait(request, timeout=CALL_TIMEOUT_S, metadata=self._metadata)

    def watch_portrait(self, name: str) -> Iterator[api.PortraitEvent]:
        """Yields events until the portrait has ended; resumes a broken connection after the last event."""
        token, failures = "", 0
        while True:
            request = api.WatchPortraitRequest(name=name, resume_token=token)
            try:
                for event in self._stub.WatchPortrait(request, metadata=self._metadata):
                    token, failures = event.resume_token or token, 0
                    yield event
                return
            except grpc.RpcError as error:
                failures += 1
                if error.code() == grpc.StatusCode.OUT_OF_RANGE and token:
                    token = ""  # The history is gone: start again from a snapshot.
                elif error.code() != grpc.StatusCode.UNAVAILABLE or failures > RECONNECT_ATTEMPTS:
                    raise

    def list_styles(self, omit_previews: bool = False) -> Sequence[resources_pb2.Style]:
        """Returns all styles, group by group."""
        request = api.ListStylesRequest(omit_previews=omit_previews)
        return self._stub.ListStyles(request, timeout=CALL_TIMEOUT_S, metadata=self._metadata).styles

    def get_style(self, name: str) -> resources_pb2.Style:
        """Returns one style, by its name with or without "styles/"."""
        request = api.GetStyleRequest(name=f"styles/{name.removeprefix('styles/')}")
        return self._stub.GetStyle(request, timeout=CALL_TIMEOUT_S, metadata=self._metadata)

    def download(self, artifact: image_pb2.ArtifactRef) -> bytes:
        """Returns an artifact's bytes, checked against its digest.

        Raises:
            ValueError: the bytes do not have the digest that the reference states.
        """
        request = api.DownloadArtifactRequest(uri=artifact.uri)
        chunks = self._stub.DownloadArtifact(request, timeout=CALL_TIMEOUT_S, metadata=self._metadata)
        data = b"".join(message.chunk for message in chunks)
        if artifact.sha256 and hashlib.sha256(data).hexdigest() != artifact.sha256:
            raise ValueError(f"{artifact.uri} was damaged on the way; download it again")
        return data


def upload_parts(
    photos: Sequence[Photo], display_name: str, request_id: str
) -> Iterator[api.UploadIdentityRequest]:
    """Yields the messages of an upload: header, then each photo's start and chunks."""
    yield api.UploadIdentityRequest(header=api.UploadHeader(display_name=display_name, request_id=request_id))
    for photo in photos:
        digest = hashlib.sha256(photo.data).hexdigest()
        start = api.UploadPhotoStart(display_name=photo.name, size_bytes=len(photo.data), sha256=digest)
        yield api.UploadIdentityRequest(photo=start)
        for offset in range(0, len(photo.data), CHUNK_BYTES):
            yield api.UploadIdentityRequest(chunk=photo.data[offset : offset + CHUNK_BYTES])
