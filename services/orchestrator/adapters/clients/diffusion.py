"""The port `Diffusion` over likeness.diffusion.v1."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

from likeness.diffusion.v1 import diffusion_pb2 as pb
from likeness.diffusion.v1 import diffusion_pb2_grpc as pb_grpc

from services.orchestrator.adapters.clients import wire
from services.orchestrator.adapters.clients.connection import Connection, OpenChannel
from services.orchestrator.domain.faces import BlobRef
from services.orchestrator.domain.ports import (
    AdapterUse,
    Caller,
    DiffusionModel,
    GeneratedPicture,
    GenerationRequest,
    GenerationStep,
)
from shared.artifacts import ArtifactStore
from shared.errors import LikenessError
from shared.telemetry import get_logger

_GENERATE_LIMIT_S = 1800.0
_LIST_LIMIT_S = 30.0
_FORGET_LIMIT_S = 5.0

_log = get_logger(__name__)


class GrpcDiffusion:
    """Calls the diffusion service."""

    def __init__(self, open_channel: OpenChannel, store: ArtifactStore, patience_s: float = 60.0) -> None:
        self._connection = Connection(open_channel, pb_grpc.DiffusionServiceStub, patience_s)
        self._store = store

    async def generate(
        self, request: GenerationRequest, caller: Caller
    ) -> AsyncIterator[GenerationStep | GeneratedPicture]:
        """See the port."""
        message = _to_request(request)
        stream = self._connection.stream("Generate", lambda: message, caller, _GENERATE_LIMIT_S)
        async with aclosing(stream) as events:  # type: ignore[type-var]
            async for event in events:
                match event.WhichOneof("event"):
                    case "step":
                        yield GenerationStep(event.step.step, event.step.step_count)
                    case "preview":
                        preview = await wire.read(event.preview.image, self._store, caller.tenant)
                        yield GenerationStep(event.preview.step, request.step_count, preview)
                    case "image":
                        yield GeneratedPicture(
                            data=await wire.read(event.image.image, self._store, caller.tenant),
                            model_digest=event.image.model_digest,
                            adapter_digests=tuple(event.image.adapter_digests),
                            unfamiliar_words=tuple(event.image.unfamiliar_words),
                        )

    async def models(self, caller: Caller) -> list[DiffusionModel]:
        """See the port."""
        response = await self._connection.unary("ListModels", pb.ListModelsRequest(), caller, _LIST_LIMIT_S)
        return [_from_model(model) for model in response.models]

    async def forget(self, adapters: Sequence[BlobRef], caller: Caller) -> None:
        """See the port."""
        if not adapters:
            return
        message = pb.EvictAdaptersRequest(uris=[adapter.uri for adapter in adapters])
        try:
            async with asyncio.timeout(_FORGET_LIMIT_S):
                await self._connection.unary("EvictAdapters", message, caller, _FORGET_LIMIT_S)
        except (LikenessError, TimeoutError) as error:
            # The artifact is gone already, so nothing new can be drawn with it: deleting must not fail here.
            _log.warning("diffusion.not_told_of_deletion", error=repr(error))


def _from_model(model: pb.Model) -> DiffusionModel:
    return DiffusionModel(
        name=model.name,
        digest=model.digest,
        size_px=model.width_px,
        is_default=model.is_default,
        identity_dimension=model.identity_dimension if model.supports_identity else 0,
        adapters=tuple(adapter.name for adapter in model.adapters),
    )


def _to_adapter(use: AdapterUse) -> pb.AdapterUse:
    message = pb.AdapterUse(weight=use.weight, of_person=use.of_person)
    if use.artifact is not None:
        message.artifact.CopyFrom(wire.to_ref(use.artifact))
    else:
        message.name = use.name
    return message


def _to_request(request: GenerationRequest) -> pb.GenerateRequest:
    message = pb.GenerateRequest(
        model=request.model,
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        step_count=request.step_count,
        guidance_scale=request.guidance_scale,
        seed=request.seed,
        sampler=request.sampler,
        adapters=[_to_adapter(use) for use in request.adapters],
        preview_interval_steps=request.preview_interval_steps,
    )
    if request.size_px is not None:
        message.width_px = message.height_px = request.size_px
    if request.embeddings:
        message.identity.embeddings.extend(wire.to_embedding(item) for item in request.embeddings)
        message.identity.scale = request.identity_scale
    if request.shows_person and request.identity_guidance_scale is not None:
        message.identity_guidance_scale = request.identity_guidance_scale
    if request.shows_person and request.late_from is not None:
        message.late_injection.start_share = request.late_from
    return message
