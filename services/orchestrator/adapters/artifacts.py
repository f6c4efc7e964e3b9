"""The port `Artifacts`: the shared store, with a note of who keeps what."""

import asyncio
import hashlib

from services.orchestrator.domain.faces import BlobRef
from services.orchestrator.domain.stores import LinkStore
from shared.artifacts import ArtifactStore


class LinkedArtifacts:
    """Blobs with owners.

    Equal bytes of one tenant are one blob, whoever stored them: a photo may belong to two identities. So a
    blob is deleted with its last owner, not with the first. The link is written before the blob: a crash in
    between leaves a link to nothing, which the owner's deletion clears, and never a blob that nobody knows
    of.
    """

    def __init__(self, store: ArtifactStore, links: LinkStore) -> None:
        self._store = store
        self._links = links
        # Releasing looks for blobs without owner and then deletes them; a link in between must wait.
        self._lock = asyncio.Lock()

    async def put(self, data: bytes, *, tenant: str, owner: str, media_type: str) -> BlobRef:
        """See the port."""
        uri = f"artifacts/{tenant}/{hashlib.sha256(data).hexdigest()}"
        async with self._lock:
            await asyncio.to_thread(self._links.link, tenant, uri, owner)
            ref = await asyncio.to_thread(self._store.put, data, tenant=tenant, media_type=media_type)
        return BlobRef(uri=ref.uri, sha256=ref.sha256, size_bytes=ref.size_bytes, media_type=ref.media_type)

    async def adopt(self, ref: BlobRef, *, tenant: str, owner: str) -> None:
        """See the port."""
        async with self._lock:
            await asyncio.to_thread(self._links.link, tenant, ref.uri, owner)

    async def get(self, uri: str, *, tenant: str) -> bytes:
        """See the port."""
        return await asyncio.to_thread(self._store.get, uri, tenant=tenant)

    async def release(self, *, tenant: str, owner: str) -> int:
        """See the port."""
        async with self._lock:
            uris = await asyncio.to_thread(self._links.unlink_owner, tenant, owner)
            deleted = [await asyncio.to_thread(self._store.delete, uri, tenant=tenant) for uri in uris]
        return sum(deleted)
