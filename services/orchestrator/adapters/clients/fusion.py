"""The port `Fusion` over likeness.fusion.v1."""

from collections.abc import Mapping, Sequence

from likeness.fusion.v1 import fusion_pb2 as pb
from likeness.fusion.v1 import fusion_pb2_grpc as pb_grpc

from services.orchestrator.adapters.clients import wire
from services.orchestrator.adapters.clients.connection import Connection, OpenChannel
from services.orchestrator.domain.edits import PlacedMark
from services.orchestrator.domain.faces import Embedding, FacedPicture, Picture
from services.orchestrator.domain.fusion_port import (
    EnhancedPicture,
    FusedFace,
    FuseOptions,
    MarkedPicture,
    RankWishes,
    TexturedPicture,
)
from services.orchestrator.domain.ports import Caller
from services.orchestrator.domain.stages import Check, Ranking, Verdict
from shared.artifacts import ArtifactStore

_LIMIT_S = 120.0
# Well under the 16 MiB that a message may have.
_MAX_INLINE_SET_BYTES = 8 * 2**20
# What the requests take.
_MAX_REFERENCES = 16
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
        options: FuseOptions,
        caller: Caller,
    ) -> FusedFace:
        """See the port."""
        request = pb.FuseRequest(
            candidate=_faced(candidate),
            templates=_references(templates),
            strength=options.strength,
            region_weights=pb.RegionWeights(**options.regions),
            warp=pb.Warp.Value(f"WARP_{options.warp.upper()}"),
        )
        response = await self._connection.unary("Fuse", request, caller, _LIMIT_S)
        face = next(iter(response.faces), pb.FusedFace())
        return FusedFace(
            data=await wire.read(response.image, self._store, caller.tenant),
            template_index=response.template_index,
            template_score=face.template_score,
            pose_similarity=response.pose_similarity,
            expression_similarity=face.expression_similarity,
            mask_share=response.mask_share,
            warp=pb.Warp.Name(face.warp).removeprefix("WARP_").lower(),
            backend=response.backend,
        )

    async def restore_marks(
        self, candidate: FacedPicture, references: Sequence[FacedPicture], caller: Caller
    ) -> MarkedPicture:
        """See the port."""
        request = pb.RestoreMarksRequest(candidate=_faced(candidate), references=_references(references))
        response = await self._connection.unary("RestoreMarks", request, caller, _LIMIT_S)
        return MarkedPicture(
            data=await wire.read(response.image, self._store, caller.tenant),
            marks=tuple(_from_mark(mark) for mark in response.marks),
            skipped=tuple(_from_skip(mark.reason) for mark in response.skipped),
        )

    async def restore_texture(
        self,
        candidate: FacedPicture,
        references: Sequence[FacedPicture],
        strength: float | None,
        caller: Caller,
    ) -> TexturedPicture:
        """See the port."""
        request = pb.RestoreTextureRequest(
            candidate=_faced(candidate), references=_references(references), strength=strength
        )
        response = await self._connection.unary("RestoreTexture", request, caller, _LIMIT_S)
        return TexturedPicture(
            data=await wire.read(response.image, self._store, caller.tenant),
            reference_index=response.reference_index,
            strength=response.strength,
            added_contrast=response.added_contrast,
        )

    async def enhance(self, picture: Picture, scale: int, strength: float, caller: Caller) -> EnhancedPicture:
        """See the port."""
        request = pb.EnhanceRequest(image=wire.to_image(picture), scale=scale, strength=strength)
        response = await self._connection.unary("Enhance", request, caller, _LIMIT_S)
        data = await wire.read(response.image, self._store, caller.tenant)
        return EnhancedPicture(data, response.enhancer, response.upscaler)

    async def rank(
        self,
        candidates: Mapping[int, FacedPicture],
        references: Sequence[Embedding],
        wishes: RankWishes,
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
            identity_gate=wishes.min_similarity,
            false_accept_rate=wishes.false_accept_rate,
            wanted_attributes=wire.to_attributes(wishes.attributes),
            face_optional=wishes.is_face_optional,
        )
        response = await self._connection.unary("Rank", request, caller, _LIMIT_S)
        rates = ("false_accept_rate", "false_reject_rate")
        return Ranking(
            verdicts=tuple(_from_ranked(message) for message in response.candidates),
            identity_gate=response.identity_gate,
            **{name: getattr(response, name) if response.HasField(name) else None for name in rates},
        )


def _faced(picture: FacedPicture, *, inline: bool = True) -> pb.FacedImage:
    return pb.FacedImage(
        image=wire.to_image(picture.picture, inline=inline),
        faces=[wire.to_face(face) for face in picture.faces],
    )


def _references(pictures: Sequence[FacedPicture]) -> list[pb.FacedImage]:
    # They are the same for every candidate: by reference they are not sent some sixty times over.
    return [_faced(picture, inline=False) for picture in pictures[:_MAX_REFERENCES]]


def _from_mark(mark: pb.RestoredMark) -> PlacedMark:
    return PlacedMark(
        kind=mark.kind,
        x_px=mark.center.x,
        y_px=mark.center.y,
        radius_px=mark.radius_px,
        confidence=mark.confidence,
    )


def _from_skip(reason: pb.MarkSkip) -> str:
    return pb.MarkSkip.Name(reason).removeprefix("MARK_SKIP_").lower().replace("_", " ")


def _from_ranked(message: pb.RankedCandidate) -> Verdict:
    return Verdict(
        index=int(message.candidate_id.removeprefix(_CANDIDATE_PREFIX)),
        rank=message.rank,
        score=message.score,
        best_similarity=message.best_similarity,
        mean_similarity=message.mean_similarity,
        best_reference_index=message.best_reference_index,
        rejection=wire.from_refusal(message.rejection) if message.HasField("rejection") else None,
        quality=message.quality,
        attribute_match=message.attribute_match if message.HasField("attribute_match") else None,
        checks=tuple(Check(name=check.name, score=check.score) for check in message.checks),
    )
