"""The gRPC face of the fusion service: read the message, one call, write the message."""

from __future__ import annotations

import grpc
from likeness.common.v1 import image_pb2
from likeness.fusion.v1 import fusion_pb2 as pb
from likeness.fusion.v1 import fusion_pb2_grpc

from services.fusion import convert, wire_fuse, wire_marks, wire_rank
from services.fusion.domain.face import Image
from services.fusion.engine.engine import FusionEngine
from services.fusion.engine.lazy_picture import LazyPicture
from services.fusion.engine.ranking import RankInput
from shared.artifacts import ArtifactStore
from shared.context import current_request
from shared.wire import read_bytes, read_image, write_image


class FusionServicer(fusion_pb2_grpc.FusionServiceServicer):
    """Translates between likeness.fusion.v1 and the engine."""

    def __init__(self, engine: FusionEngine, store: ArtifactStore) -> None:
        self._engine = engine
        self._store = store

    async def Fuse(self, request: pb.FuseRequest, context: grpc.aio.ServicerContext) -> pb.FuseResponse:
        """See the proto."""
        options = wire_fuse.options_from_proto(request)
        candidate = wire_fuse.candidate_from_proto(request.candidate)
        people = wire_fuse.people_from_proto(request, self._read)
        image = await self._read(request.candidate.image, candidate.name)
        fused = await self._engine.fuse(image, candidate, people, options, current_request().token)
        return wire_fuse.fused_to_proto(fused, await write_image(fused.image, store=self._store))

    async def RestoreMarks(
        self, request: pb.RestoreMarksRequest, context: grpc.aio.ServicerContext
    ) -> pb.RestoreMarksResponse:
        """See the proto."""
        candidate = await self._lazy(request.candidate, "candidate")
        references = [await self._lazy(r, f"reference {n}") for n, r in enumerate(request.references, 1)]
        restored = await self._engine.restore_marks(candidate, references, current_request().token)
        return wire_marks.restored_to_proto(restored, await write_image(restored.image, store=self._store))

    async def RestoreTexture(
        self, request: pb.RestoreTextureRequest, context: grpc.aio.ServicerContext
    ) -> pb.RestoreTextureResponse:
        """See the proto."""
        candidate = await self._lazy(request.candidate, "candidate")
        references = [await self._lazy(r, f"reference {n}") for n, r in enumerate(request.references, 1)]
        strength = request.strength if request.HasField("strength") else None
        made = await self._engine.restore_texture(candidate, references, strength, current_request().token)
        return wire_marks.retextured_to_proto(made, await write_image(made.image, store=self._store))

    async def Enhance(
        self, request: pb.EnhanceRequest, context: grpc.aio.ServicerContext
    ) -> pb.EnhanceResponse:
        """See the proto."""
        image = await read_image(request.image, position="image", store=self._store)
        made = await self._engine.enhance(
            image,
            scale=request.scale if request.HasField("scale") else 1,
            strength=request.strength if request.HasField("strength") else 0.5,
            token=current_request().token,
        )
        return pb.EnhanceResponse(
            image=await write_image(made.image, store=self._store),
            enhancer=made.enhancer,
            upscaler=made.upscaler,
        )

    async def Rank(self, request: pb.RankRequest, context: grpc.aio.ServicerContext) -> pb.RankResponse:
        """See the proto."""
        gate = self._engine.gates.choose(
            wire_rank.embedder_of(request), len(request.references), **wire_rank.gate_asked_for(request)
        )
        options = wire_rank.options_from_proto(request, gate=gate.threshold, **self._engine.rank_defaults)
        references = [convert.embedding_from_proto(r, field="references") for r in request.references]
        inputs = [await self._rank_input(candidate) for candidate in request.candidates]
        verdicts = await self._engine.rank(inputs, references, options, current_request().token)
        return wire_rank.response_to_proto(verdicts, gate)

    async def _rank_input(self, message: pb.RankedInput) -> RankInput:
        faces = tuple(convert.face_from_proto(f, needs_embedding=True) for f in message.faces)
        if not message.HasField("image"):
            return RankInput(message.candidate_id, faces)
        image = await read_image(message.image, position=message.candidate_id, store=self._store)
        return RankInput(message.candidate_id, faces, image)

    async def _lazy(self, message: pb.FacedImage, position: str) -> LazyPicture:
        """The picture, to be decoded where its pixels are needed."""
        data = await read_bytes(message.image, position=position, store=self._store)
        return wire_marks.picture_from_proto(message, data, position)

    async def _read(self, message: image_pb2.Image, position: str) -> Image:
        return await read_image(message, position=position, store=self._store)
