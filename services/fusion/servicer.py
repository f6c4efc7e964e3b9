"""The gRPC face of the fusion service: read the message, one call, write the message."""

from __future__ import annotations

from collections.abc import Iterable

import grpc
from likeness.fusion.v1 import fusion_pb2 as pb
from likeness.fusion.v1 import fusion_pb2_grpc

from services.fusion import convert
from services.fusion.engine.engine import FusionEngine
from services.fusion.engine.ranking import RankInput
from services.fusion.engine.requests import FacedPicture
from shared.artifacts import ArtifactStore
from shared.context import current_request
from shared.wire import read_image, write_image


class FusionServicer(fusion_pb2_grpc.FusionServiceServicer):
    """Translates between likeness.fusion.v1 and the engine."""

    def __init__(self, engine: FusionEngine, store: ArtifactStore) -> None:
        self._engine = engine
        self._store = store

    async def Fuse(self, request: pb.FuseRequest, context: grpc.aio.ServicerContext) -> pb.FuseResponse:
        """See the proto."""
        candidate = await self._faced(request.candidate, "candidate")
        templates = await self._all_faced(request.templates, "template")
        options = convert.fuse_options_from_proto(request)
        fused = await self._engine.fuse(candidate, templates, options, current_request().token)
        return convert.fused_to_proto(fused, await write_image(fused.image, store=self._store))

    async def RestoreMarks(
        self, request: pb.RestoreMarksRequest, context: grpc.aio.ServicerContext
    ) -> pb.RestoreMarksResponse:
        """See the proto."""
        candidate = await self._faced(request.candidate, "candidate")
        references = await self._all_faced(request.references, "reference")
        restored = await self._engine.restore_marks(candidate, references, current_request().token)
        return pb.RestoreMarksResponse(
            image=await write_image(restored.image, store=self._store),
            marks=[convert.mark_to_proto(mark) for mark in restored.marks],
        )

    async def Enhance(
        self, request: pb.EnhanceRequest, context: grpc.aio.ServicerContext
    ) -> pb.EnhanceResponse:
        """See the proto."""
        image = await read_image(request.image, position="image", store=self._store)
        enhanced = await self._engine.enhance(
            image,
            scale=request.scale if request.HasField("scale") else 1,
            strength=request.strength if request.HasField("strength") else 0.5,
            token=current_request().token,
        )
        return pb.EnhanceResponse(image=await write_image(enhanced, store=self._store))

    async def Rank(self, request: pb.RankRequest, context: grpc.aio.ServicerContext) -> pb.RankResponse:
        """See the proto."""
        embeddings = [face.embedding for c in request.candidates for face in c.faces]
        embedder = convert.embedder_of([*request.references, *embeddings])
        requested = request.identity_gate if request.HasField("identity_gate") else None
        options = convert.rank_options_from_proto(
            request, gate=self._engine.gate_for(embedder, requested), **self._engine.rank_defaults
        )
        references = [convert.embedding_from_proto(r, field="references") for r in request.references]
        inputs = [await self._rank_input(candidate) for candidate in request.candidates]
        verdicts = await self._engine.rank(inputs, references, options, current_request().token)
        return pb.RankResponse(
            candidates=[convert.verdict_to_proto(v) for v in verdicts], identity_gate=options.identity_gate
        )

    async def _rank_input(self, message: pb.RankedInput) -> RankInput:
        faces = tuple(convert.face_from_proto(f, needs_embedding=True) for f in message.faces)
        if not message.HasField("image"):
            return RankInput(message.candidate_id, faces)
        image = await read_image(message.image, position=message.candidate_id, store=self._store)
        return RankInput(message.candidate_id, faces, image)

    async def _all_faced(self, messages: Iterable[pb.FacedImage], role: str) -> list[FacedPicture]:
        return [await self._faced(m, f"{role} {number}") for number, m in enumerate(messages, 1)]

    async def _faced(self, message: pb.FacedImage, position: str) -> FacedPicture:
        image = await read_image(message.image, position=position, store=self._store)
        faces = tuple(convert.face_from_proto(face) for face in message.faces)
        return FacedPicture(message.image.name or position, image, faces)
