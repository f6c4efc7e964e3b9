"""The port `Fusion` over likeness.fusion.v1."""

from collections.abc import Mapping, Sequence

from likeness.fusion.v1 import fusion_pb2 as pb
from likeness.fusion.v1 import fusion_pb2_grpc as pb_grpc

from services.orchestrator.adapters.clients import wire
from services.orchestrator.adapters.clients.connection import Connection, OpenChannel
from services.orchestrator.domain.faces import Embedding, FacedPicture, Picture
from services.orchestrator.domain.ports import Caller
from services.orchestrator.domain.stages import Ranking, Verdict
from shared.artifacts import ArtifactStore

_LIMIT_S = 120.0
# Well under the 16 MiB that a message may have.
_MAX_INLINE_SET_BYTES = 8 * 2**20
# What FuseRequest and RestoreMarksRequest take.
_MAX_TEMPLATES = 16
_CANDIDATE_PREFIX = "candidate-"


class GrpcFusion:
    """Calls the fusion service."""

    def __init__(self, open_channel: OpenChannel, store: ArtifactStore, patience_s: float = 60.0) -> None:
        self._connection = Connection(open_channel, pb_grpc.FusionServiceStub, patience_s)
        self._store = store

    async def fuse(
        self,
        candidate: FacedPicture,
        templates: Sequence[FacedPicture],
        strength: float,
        regions: Mapping[str, float],
        caller: Caller,
    ) -> bytes:
        """See the port."""
        request = pb.FuseRequest(
            candidate=_faced(candidate),
            templates=[_faced(template) for template in templates[:_MAX_TEMPLATES]],
            strength=strength,
            region_weights=pb.RegionWeights(**regions),
        )
        response = await self._connection.unary("Fuse", request, caller, _LIMIT_S)
        return await wire.read(response.image, self._store, caller.tenant)

    async def restore_marks(
        self, candidate: FacedPicture, references: Sequence[FacedPicture], caller: Caller
    ) -> tuple[bytes, int]:
        """See the port."""
        request = pb.RestoreMarksRequest(
            candidate=_faced(candidate),
            references=[_faced(reference) for reference in references[:_MAX_TEMPLATES]],
        )
        response = await self._connection.unary("RestoreMarks", request, caller, _LIMIT_S)
        return await wire.read(response.image, self._store, caller.tenant), len(response.marks)

    async def enhance(self, picture: Picture, scale: int, caller: Caller) -> bytes:
        """See the port."""
        request = pb.EnhanceRequest(image=wire.to_image(picture), scale=scale)
        response = await self._connection.unary("Enhance", request, caller, _LIMIT_S)
        return await wire.read(response.image, self._store, caller.tenant)

    async def rank(
        self,
        candidates: Mapping[int, FacedPicture],
        references: Sequence[Embedding],
        min_similarity: float | None,
        caller: Caller,
    ) -> Ranking:
        """See the port."""
        size = sum(len(candidate.picture.data) for candidate in candidates.values())
        request = pb.RankRequest(
            candidates=[
                pb.RankedInput(
                    candidate_id=f"{_CANDIDATE_PREFIX}{index}",  # as messages name it
                    faces=[wire.to_face(face) for face in candidate.faces],
                    image=wire.to_image(candidate.picture, inline=size <= _MAX_INLINE_SET_BYTES),
                )
                for index, candidate in candidates.items()
            ],
            references=[wire.to_embedding(embedding) for embedding in references],
            identity_gate=min_similarity,
        )
        response = await self._connection.unary("Rank", request, caller, _LIMIT_S)
        verdicts = tuple(_from_ranked(message) for message in response.candidates)
        return Ranking(verdicts=verdicts, identity_gate=response.identity_gate)


def _faced(picture: FacedPicture) -> pb.FacedImage:
    return pb.FacedImage(
        image=wire.to_image(picture.picture), faces=[wire.to_face(face) for face in picture.faces]
    )


def _from_ranked(message: pb.RankedCandidate) -> Verdict:
    return Verdict(
        index=int(message.candidate_id.removeprefix(_CANDIDATE_PREFIX)),
        rank=message.rank,
        score=message.score,
        best_similarity=message.best_similarity,
        mean_similarity=message.mean_similarity,
        best_reference_index=message.best_reference_index,
        rejection=wire.from_refusal(message.rejection) if message.HasField("rejection") else None,
    )
