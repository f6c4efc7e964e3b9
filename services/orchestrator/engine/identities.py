"""Use cases of identities: create, get, list, delete with a receipt."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.orchestrator.domain.base import utc_now
from services.orchestrator.domain.faces import Picture
from services.orchestrator.domain.identity import Identity
from services.orchestrator.domain.ports import Caller
from services.orchestrator.domain.stores import RequestKey
from services.orchestrator.engine.portraits import PortraitDesk
from services.orchestrator.engine.references import judge
from services.orchestrator.engine.tools import Tools
from services.orchestrator.errors import EmptyPhotoSet, UnknownIdentity

# Photos that large travel to face analysis by reference, so they are stored before they are judged.
_INLINE_BYTES = 4 * 2**20
_INLINE_SET_BYTES = 8 * 2**20
_DELETE_PAGE = 100


@dataclass(frozen=True)
class Receipt:
    """What deleting an identity removed."""

    photo_count: int
    embedding_count: int
    adapter_count: int
    training_job_count: int
    portrait_count: int
    artifact_count: int
    delete_time: datetime


class IdentityDesk:
    """Creates and deletes identities."""

    def __init__(self, tools: Tools, portraits: PortraitDesk) -> None:
        self._tools = tools
        self._portraits = portraits

    async def create(
        self, display_name: str, photos: Sequence[Picture], caller: Caller, key: RequestKey | None
    ) -> Identity:
        """Curate photos and make an identity of them; nothing is left behind where that fails.

        Raises:
            EmptyPhotoSet: There is no photo.
            NoUsablePhoto: No photo is fit; the metadata say why, photo by photo.
            RequestIdReused: The request id came with another body before.
        """
        store, tenant = self._tools.store, caller.tenant
        if (known := await asyncio.to_thread(store.find_identity_request, tenant, key)) is not None:
            return known
        if not photos:
            raise EmptyPhotoSet()
        identity_id = uuid.uuid4().hex
        owner, waiting = f"identities/{identity_id}", f"uploads/{identity_id}"
        named = [_named(photo, position) for position, photo in enumerate(photos, start=1)]
        try:
            pictures = await self._with_refs(named, tenant, waiting)
            judged = await judge(self._tools, pictures, caller, owner)
            identity = Identity(
                id=identity_id,
                tenant=tenant,
                display_name=display_name,
                photos=judged.photos,
                attributes=judged.attributes,
                template_index=judged.template_index,
                create_time=utc_now(),
            )
            kept = await asyncio.to_thread(store.add_identity, identity, key)
        except BaseException:
            await self._release(tenant, owner, waiting)
            raise
        # Two calls with one request id at the same time: the first one's identity stays.
        await self._release(tenant, waiting, *([owner] if kept.id != identity_id else []))
        return kept

    async def get(self, tenant: str, name: str) -> Identity:
        """Return an identity. Raises UnknownIdentity."""
        identity = await asyncio.to_thread(self._tools.store.find_identity, tenant, name.split("/")[-1])
        if identity is None:
            raise UnknownIdentity(identity=name)
        return identity

    async def list_page(self, tenant: str, page_size: int, page_token: str) -> tuple[list[Identity], str]:
        """Return a page, the newest first, and the next page's token. Raises PageTokenInvalid."""
        return await asyncio.to_thread(self._tools.store.list_identities, tenant, page_size, page_token)

    async def delete(self, tenant: str, name: str) -> Receipt:
        """Delete an identity with all that was made of it; may be repeated after a failure in between.

        Raises:
            UnknownIdentity: The tenant has no such identity.
        """
        identity = await self.get(tenant, name)
        portrait_count, artifact_count = await self._delete_portraits(tenant, identity)
        # Read again: a portrait that was at work may have added a job or an adapter.
        identity = await self.get(tenant, name)
        caller = Caller(tenant)
        for job in identity.training_jobs:
            artifact_count += await self._tools.training.delete(job, caller)
        artifact_count += await self._tools.artifacts.release(tenant=tenant, owner=identity.owner)
        # After its bytes are gone, or the next picture would bring it back into memory.
        forgotten = [identity.adapter.artifact] if identity.adapter else []
        await self._tools.diffusion.forget(forgotten, caller)
        await asyncio.to_thread(self._tools.store.delete_identity, tenant, identity.id)
        late_portraits, late_artifacts = await self._delete_portraits(tenant, identity)
        return Receipt(
            photo_count=sum(photo.original is not None for photo in identity.photos),
            embedding_count=sum(bool(photo.face and photo.face.embedding) for photo in identity.photos),
            adapter_count=int(identity.adapter is not None),
            training_job_count=len(identity.training_jobs),
            portrait_count=portrait_count + late_portraits,
            artifact_count=artifact_count + late_artifacts,
            delete_time=utc_now(),
        )

    async def _delete_portraits(self, tenant: str, identity: Identity) -> tuple[int, int]:
        portrait_count = artifact_count = 0
        while True:
            page, _ = await self._portraits.list_page(tenant, _DELETE_PAGE, "", identity.name)
            if not page:
                return portrait_count, artifact_count
            for portrait in page:
                artifact_count += await self._portraits.delete(tenant, portrait.name)
                portrait_count += 1

    async def _with_refs(self, photos: Sequence[Picture], tenant: str, owner: str) -> list[Picture]:
        large_set = sum(len(photo.data) for photo in photos) > _INLINE_SET_BYTES
        stored: list[Picture] = []
        for photo in photos:
            ref = photo.ref
            if ref is None and (large_set or len(photo.data) > _INLINE_BYTES):
                media_type = "application/octet-stream"
                ref = await self._tools.artifacts.put(
                    photo.data, tenant=tenant, owner=owner, media_type=media_type
                )
            stored.append(Picture(photo.data, photo.name, ref))
        return stored

    async def _release(self, tenant: str, *owners: str) -> None:
        for owner in owners:
            await self._tools.artifacts.release(tenant=tenant, owner=owner)


def _named(photo: Picture, position: int) -> Picture:
    return photo if photo.name else Picture(photo.data, f"image {position}", photo.ref)
