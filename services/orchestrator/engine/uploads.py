"""Use case: an identity from a streamed upload."""

from collections.abc import AsyncIterator

from services.orchestrator.domain.identity import Identity
from services.orchestrator.domain.ports import Caller
from services.orchestrator.domain.stores import RequestKey
from services.orchestrator.domain.upload import BrokenUpload, Part, UploadAssembler
from services.orchestrator.engine.identities import IdentityDesk
from services.orchestrator.errors import UploadBroken

MAX_PHOTOS = 64


class UploadDesk:
    """Receives uploads."""

    def __init__(self, identities: IdentityDesk, max_bytes: int) -> None:
        self._identities = identities
        self._max_bytes = max_bytes

    async def receive(self, parts: AsyncIterator[Part], caller: Caller) -> Identity:
        """Take an upload to its end and make an identity of it; nothing is kept of one that breaks.

        Raises:
            UploadBroken: The parts do not add up.
            LikenessError: What `IdentityDesk.create` raises.
        """
        assembler = UploadAssembler(MAX_PHOTOS, self._max_bytes)
        try:
            async for part in parts:
                assembler.add(part)
            header, photos, digest = assembler.finish()
        except BrokenUpload as broken:
            raise UploadBroken(cause=broken) from None
        key = RequestKey("identity", header.request_id, digest) if header.request_id else None
        return await self._identities.create(header.display_name, photos, caller, key)
