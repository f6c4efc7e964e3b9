"""The gRPC face of the stylization service: read the message, one call, write the message."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
from likeness.stylization.v1 import stylization_pb2 as pb
from likeness.stylization.v1 import stylization_pb2_grpc

from services.stylization import convert
from services.stylization.domain import Image, Steadiness
from services.stylization.engine.engine import StylizationEngine
from services.stylization.engine.stream import Failed, RisingSequence, in_order
from shared.artifacts import ArtifactStore
from shared.context import current_request
from shared.wire import read_image, write_image

Drawn = tuple[Image, Image]
"""A frame and its drawing."""


class StylizationServicer(stylization_pb2_grpc.StylizationServiceServicer):
    """Translates between likeness.stylization.v1 and the engine."""

    def __init__(self, engine: StylizationEngine, store: ArtifactStore) -> None:
        self._engine = engine
        self._store = store

    async def Stylize(
        self, request: pb.StylizeRequest, context: grpc.aio.ServicerContext
    ) -> pb.StylizeResponse:
        """See the proto."""
        effect = self._engine.resolve(request.effect)
        image = await read_image(request.image, position="image", store=self._store)
        drawn = await self._engine.stylize(
            image,
            effect=effect,
            strength=convert.strength_from_proto(request),
            token=current_request().token,
        )
        return pb.StylizeResponse(image=await write_image(drawn, store=self._store))

    async def StylizeStream(
        self,
        request_iterator: AsyncIterator[pb.StylizeStreamRequest],
        context: grpc.aio.ServicerContext,
    ) -> AsyncIterator[pb.StylizeStreamResponse]:
        """See the proto."""
        token, sequences = current_request().token, RisingSequence()
        steadiness = self._engine.new_steadiness()
        effect: str | None = None

        async def work(request: pb.StylizeStreamRequest) -> Drawn:
            nonlocal effect
            # An unknown effect fails each frame and not the stream: a client that is still sending when the
            # server ends a stream sees a broken transport (INTERNAL) instead of the reason.
            effect = request.effect if effect is None else effect
            sequences.check(request.sequence)
            image = await read_image(request.frame, position=f"frame {request.sequence}", store=self._store)
            strength = convert.strength_from_proto(request)
            return image, await self._engine.stylize(image, effect=effect, strength=strength, token=token)

        frames = in_order(request_iterator, work, ahead=self._engine.frames_ahead)
        try:
            async for request, result in frames:
                yield await self._answer(request.sequence, result, steadiness)
        finally:
            await frames.aclose()

    async def ListEffects(
        self, request: pb.ListEffectsRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListEffectsResponse:
        """See the proto."""
        return pb.ListEffectsResponse(effects=[convert.effect_to_proto(e) for e in self._engine.effects()])

    async def _answer(
        self, sequence: int, result: Drawn | Failed, steadiness: Steadiness
    ) -> pb.StylizeStreamResponse:
        if isinstance(result, Failed):
            return convert.failed_frame_to_proto(sequence, result.error)
        image = steadiness.steadied(*result)
        return convert.frame_to_proto(sequence, await write_image(image, store=self._store))
