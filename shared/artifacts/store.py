"""The port: what every artifact store promises."""

import re
from dataclasses import dataclass
from typing import Protocol

_TENANT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def is_tenant_name(text: str) -> bool:
    """Whether *text* may name a tenant: it becomes a folder, so no dots, slashes or capitals."""
    return _TENANT.fullmatch(text) is not None


@dataclass(frozen=True)
class ArtifactRef:
    """What `put` hands back. The same bytes of the same tenant always have the same reference.

    Attributes:
        uri: "artifacts/<tenant>/<sha256>".
        sha256: Lower-case hex digest of the bytes.
        size_bytes: Their number.
        media_type: As given to `put`; it is not stored.
    """

    uri: str
    sha256: str
    size_bytes: int
    media_type: str


class ArtifactStore(Protocol):
    """Blobs by content. Synchronous: call it through `asyncio.to_thread`.

    A reference of another tenant is unknown, whether or not it exists. Writing is atomic: a reader sees
    all of a blob or none of it, also after a kill in the middle of `put`.
    """

    def put(self, data: bytes, *, tenant: str, media_type: str) -> ArtifactRef:
        """Store *data*; storing it again changes nothing.

        Raises:
            ValueError: *tenant* is not a tenant name.
        """

    def get(self, ref_uri: str, *, tenant: str) -> bytes:
        """The bytes of a reference, checked against its digest.

        Raises:
            UnknownArtifact: No such artifact of this tenant.
            OSError: The stored bytes do not have the digest they are named by.
        """

    def exists(self, ref_uri: str, *, tenant: str) -> bool:
        """Whether `get` would find it."""

    def delete(self, ref_uri: str, *, tenant: str) -> bool:
        """Remove it; says whether it was there."""

    def list_uris(self, *, tenant: str) -> list[str]:
        """The URIs of all artifacts of a tenant, sorted."""

    def delete_tenant(self, tenant: str) -> int:
        """Remove everything of a tenant; says how many artifacts that was."""
