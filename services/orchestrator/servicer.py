"""Translation between likeness.orchestrator.v1 and the use cases; nothing else."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TypeAlias

import grpc
from likeness.orchestrator.v1 import orchestrator_pb2 as pb
from likeness.orchestrator.v1 import orchestrator_pb2_grpc as pb_grpc
from likeness.orchestrator.v1 import resources_pb2 as res

from services.orchestrator.domain.ports import Caller
from services.orchestrator.engine.desk import Desk
from services.orchestrator.messages.events import to_event
from services.orchestrator.messages.identities import from_upload, to_identity, to_receipt
from services.orchestrator.messages.portraits import from_spec, to_portrait
from services.orchestrator.messages.requests import DEFAULT_PAGE_SIZE, request_key
from services.orchestrator.messages.styles import to_style
from shared.context import current_request

_CHUNK_BYTES = 256 * 1024
Context: TypeAlias = grpc.aio.ServicerContext


class OrchestratorServicer(pb_grpc.OrchestratorServiceServicer):
    """The RPCs. Errors are raised as they are; the server's interceptors put them on the wire."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def CreateIdentity(self, request: pb.CreateIdentityRequest, context: Context) -> res.Identity:
        """See the proto."""
        key = request_key("identity", request, request.request_id)
        photos = await self._desk.reader.pictures(request.photos, _tenant())
        identity = await self._desk.identities.create(request.display_name, photos, _caller(), key)
        return to_identity(identity)

    async def UploadIdentity(
        self, requests: AsyncIterator[pb.UploadIdentityRequest], context: Context
    ) -> res.Identity:
        """See the proto."""
        parts = (from_upload(message) async for message in requests)
        return to_identity(await self._desk.uploads.receive(parts, _caller()))

    async def GetIdentity(self, request: pb.GetIdentityRequest, context: Context) -> res.Identity:
        """See the proto."""
        return to_identity(await self._desk.identities.get(_tenant(), request.name))

    async def ListIdentities(
        self, request: pb.ListIdentitiesRequest, context: Context
    ) -> pb.ListIdentitiesResponse:
        """See the proto."""
        size = request.page_size or DEFAULT_PAGE_SIZE
        found, token = await self._desk.identities.list_page(_tenant(), size, request.page_token)
        identities = [to_identity(identity) for identity in found]
        return pb.ListIdentitiesResponse(identities=identities, next_page_token=token)

    async def DeleteIdentity(
        self, request: pb.DeleteIdentityRequest, context: Context
    ) -> pb.DeleteIdentityResponse:
        """See the proto."""
        return to_receipt(await self._desk.identities.delete(_tenant(), request.name))

    async def CreatePortrait(self, request: pb.CreatePortraitRequest, context: Context) -> res.Portrait:
        """See the proto."""
        key = request_key("portrait", request, request.request_id)
        portrait = await self._desk.portraits.create(_tenant(), from_spec(request.spec), key)
        return to_portrait(portrait)

    async def GetPortrait(self, request: pb.GetPortraitRequest, context: Context) -> res.Portrait:
        """See the proto."""
        return to_portrait(await self._desk.portraits.get(_tenant(), request.name))

    async def ListPortraits(
        self, request: pb.ListPortraitsRequest, context: Context
    ) -> pb.ListPortraitsResponse:
        """See the proto."""
        size = request.page_size or DEFAULT_PAGE_SIZE
        found, token = await self._desk.portraits.list_page(
            _tenant(), size, request.page_token, request.identity
        )
        portraits = [to_portrait(portrait) for portrait in found]
        return pb.ListPortraitsResponse(portraits=portraits, next_page_token=token)

    async def CancelPortrait(self, request: pb.CancelPortraitRequest, context: Context) -> res.Portrait:
        """See the proto."""
        return to_portrait(await self._desk.portraits.cancel(_tenant(), request.name))

    async def DeletePortrait(
        self, request: pb.DeletePortraitRequest, context: Context
    ) -> pb.DeletePortraitResponse:
        """See the proto."""
        count = await self._desk.portraits.delete(_tenant(), request.name)
        return pb.DeletePortraitResponse(artifact_count=count)

    async def WatchPortrait(
        self, request: pb.WatchPortraitRequest, context: Context
    ) -> AsyncIterator[pb.PortraitEvent]:
        """See the proto."""
        watch = self._desk.watch(_tenant(), request.name)
        async with aclosing(watch.items(request.resume_token)) as items:  # type: ignore[type-var]
            async for item in items:
                yield to_event(item)

    async def ListStyles(self, request: pb.ListStylesRequest, context: Context) -> pb.ListStylesResponse:
        """See the proto."""
        cards = await self._desk.gallery.all(_caller())
        return pb.ListStylesResponse(styles=[to_style(card, request.omit_previews) for card in cards])

    async def GetStyle(self, request: pb.GetStyleRequest, context: Context) -> res.Style:
        """See the proto."""
        return to_style(await self._desk.gallery.get(request.name, _caller()))

    async def DownloadArtifact(
        self, request: pb.DownloadArtifactRequest, context: Context
    ) -> AsyncIterator[pb.DownloadArtifactResponse]:
        """See the proto."""
        data = await self._desk.artifacts.get(request.uri, tenant=_tenant())
        for start in range(0, max(len(data), 1), _CHUNK_BYTES):
            chunk = data[start : start + _CHUNK_BYTES]
            yield pb.DownloadArtifactResponse(chunk=chunk, size_bytes=len(data))


def _tenant() -> str:
    return current_request().tenant


def _caller() -> Caller:
    request = current_request()
    return Caller(request.tenant, request.deadline_s)
