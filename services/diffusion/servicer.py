"""Translates RPCs into calls of the engine, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import grpc
from likeness.diffusion.v1 import diffusion_pb2, diffusion_pb2_grpc

from services.diffusion import convert
from services.diffusion.domain.events import Generated
from services.diffusion.engine.generation import Generation
from shared.artifacts import ArtifactStore
from shared.context import current_request
from shared.wire import read_image, write_image


class DiffusionServicer(diffusion_pb2_grpc.DiffusionServiceServicer):
    """likeness.diffusion.v1.DiffusionService."""

    def __init__(self, generation: Generation, store: ArtifactStore) -> None:
        self._generation = generation
        self._store = store

    async def Generate(
        self, request: diffusion_pb2.GenerateRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[diffusion_pb2.GenerateResponse]:
        """Stream the making of one picture; ends early with the caller."""
        caller = current_request()
        wanted = convert.from_proto(request, await self._pictures(request))
        events = self._generation.generate(wanted, tenant=caller.tenant, token=caller.token)
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Generated):
                    image = await write_image(event.picture.image, store=self._store)
                    yield convert.generated_to_proto(event, image)
                else:
                    yield convert.progress_to_proto(event)

    async def _pictures(self, request: diffusion_pb2.GenerateRequest) -> convert.Pictures:
        """Decode the pictures that *request* carries. Raises: see shared.wire.read_image."""
        sent = {
            "source": (request.HasField("source"), request.source.image),
            "mask": (request.source.HasField("mask"), request.source.mask),
            "control": (request.HasField("control"), request.control.image),
        }
        decoded = {
            name: await read_image(message, position=f"the {name} picture", store=self._store)
            for name, (is_sent, message) in sent.items()
            if is_sent
        }
        return convert.Pictures(**decoded)

    async def EvictAdapters(
        self, request: diffusion_pb2.EvictAdaptersRequest, context: grpc.aio.ServicerContext
    ) -> diffusion_pb2.EvictAdaptersResponse:
        """Forget adapters of the caller's tenant."""
        adapters, pictures = await self._generation.evict_adapters(
            request.uris, tenant=current_request().tenant
        )
        return diffusion_pb2.EvictAdaptersResponse(adapter_count=adapters, generation_count=pictures)

    async def ListModels(
        self, request: diffusion_pb2.ListModelsRequest, context: grpc.aio.ServicerContext
    ) -> diffusion_pb2.ListModelsResponse:
        """List what is installed."""
        return await asyncio.to_thread(convert.models_to_proto, await self._generation.models())
