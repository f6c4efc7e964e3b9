"""The store over fsspec: a local folder, S3, or memory in tests."""

import hashlib
import os
import re
import uuid
from typing import Any

import fsspec

from shared.artifacts.errors import UnknownArtifact
from shared.artifacts.store import ArtifactRef, is_tenant_name

_DIGEST = re.compile(r"[0-9a-f]{64}")


def open_store(url: str) -> "FsspecStore":
    """Open the store under *url*: a folder ("out/artifacts"), "s3://bucket/prefix", "memory://name".

    Raises:
        ValueError: Unknown protocol.
        ImportError: The protocol's driver (s3fs for S3) is not installed.
    """
    filesystem, root = fsspec.core.url_to_fs(url)
    return FsspecStore(filesystem, root)


class FsspecStore:
    """`ArtifactStore` over any fsspec file system; blobs lie at <root>/<tenant>/<sha256>."""

    def __init__(self, filesystem: Any, root: str) -> None:
        self._fs = filesystem
        self._root = root.rstrip("/")

    def put(self, data: bytes, *, tenant: str, media_type: str) -> ArtifactRef:
        """See `ArtifactStore.put`."""
        if not is_tenant_name(tenant):
            raise ValueError(f"not a tenant name: {tenant!r}")
        digest = hashlib.sha256(data).hexdigest()
        path = f"{self._root}/{tenant}/{digest}"
        if not self._fs.exists(path):
            self._write(path, data)
        return ArtifactRef(f"artifacts/{tenant}/{digest}", digest, len(data), media_type)

    def get(self, ref_uri: str, *, tenant: str) -> bytes:
        """See `ArtifactStore.get`."""
        path = self._path(ref_uri, tenant)
        try:
            data = bytes(self._fs.cat_file(path)) if path else None
        except FileNotFoundError:
            data = None
        if path is None or data is None:
            raise UnknownArtifact(artifact=ref_uri)
        if hashlib.sha256(data).hexdigest() != path.rsplit("/", 1)[-1]:
            raise OSError(f"artifact {ref_uri} is damaged in the store")
        return data

    def exists(self, ref_uri: str, *, tenant: str) -> bool:
        """See `ArtifactStore.exists`."""
        path = self._path(ref_uri, tenant)
        return path is not None and bool(self._fs.exists(path))

    def delete(self, ref_uri: str, *, tenant: str) -> bool:
        """See `ArtifactStore.delete`."""
        path = self._path(ref_uri, tenant)
        if path is None:
            return False
        try:
            self._fs.rm_file(path)
        except FileNotFoundError:
            return False
        return True

    def list_uris(self, *, tenant: str) -> list[str]:
        """See `ArtifactStore.list_uris`."""
        if not is_tenant_name(tenant):
            return []
        self._fs.invalidate_cache()
        try:
            names = self._fs.ls(f"{self._root}/{tenant}", detail=False)
        except FileNotFoundError:
            return []
        digests = (str(name).rsplit("/", 1)[-1] for name in names)
        return sorted(f"artifacts/{tenant}/{digest}" for digest in digests if _DIGEST.fullmatch(digest))

    def delete_tenant(self, tenant: str) -> int:
        """See `ArtifactStore.delete_tenant`."""
        uris = self.list_uris(tenant=tenant)
        folder = f"{self._root}/{tenant}"
        # The whole folder, so that the draft of a killed `put` goes too.
        if is_tenant_name(tenant) and self._fs.exists(folder):
            self._fs.rm(folder, recursive=True)
        return len(uris)

    def _path(self, ref_uri: str, tenant: str) -> str | None:
        """Where a reference lies, or None if it cannot be one of this tenant."""
        parts = ref_uri.split("/")
        if len(parts) != 3 or not is_tenant_name(tenant):
            return None
        kind, owner, digest = parts
        if kind != "artifacts" or owner != tenant or not _DIGEST.fullmatch(digest):
            return None
        return f"{self._root}/{tenant}/{digest}"

    def _write(self, path: str, data: bytes) -> None:
        if "file" not in _protocols(self._fs):
            # Object stores and memory make a write visible only when it is complete.
            self._fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
            self._fs.pipe_file(path, data)
            return
        os.makedirs(os.path.dirname(path), exist_ok=True)
        draft = f"{path}.{uuid.uuid4().hex}.draft"
        try:
            with open(draft, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, path)
        except BaseException:
            if os.path.exists(draft):
                os.remove(draft)
            raise


def _protocols(filesystem: Any) -> tuple[str, ...]:
    protocol = filesystem.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)
