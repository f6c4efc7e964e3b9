"""The port `FaceAnalysis` over likeness.face_analysis.v1."""

from collections.abc import Iterator, Sequence

from likeness.face_analysis.v1 import face_analysis_pb2 as pb
from likeness.face_analysis.v1 import face_analysis_pb2_grpc as pb_grpc

from services.orchestrator.adapters.clients import wire
from services.orchestrator.adapters.clients.connection import Connection, OpenChannel
from services.orchestrator.domain.faces import AnalyzedPicture, CuratedPhoto, Curation, Feature, Picture
from services.orchestrator.domain.ports import AnalysisBackend, Caller

_BACKEND_LIMIT_S = 30.0
_ANALYZE_LIMIT_S = 120.0
_CURATE_LIMIT_S = 300.0
# Well under the 16 MiB that a message may have.
_MAX_BATCH_BYTES = 8 * 2**20
_MAX_BATCH = 64


class GrpcFaceAnalysis:
    """Calls the face analysis service."""

    def __init__(self, open_channel: OpenChannel, patience_s: float = 60.0) -> None:
        self._connection = Connection(open_channel, pb_grpc.FaceAnalysisServiceStub, patience_s)

    async def backend(self, caller: Caller) -> AnalysisBackend:
        """See the port."""
        request = pb.GetBackendRequest()
        response = await self._connection.unary("GetBackend", request, caller, _BACKEND_LIMIT_S)
        known = {_feature(feature): feature for feature in Feature}
        return AnalysisBackend(
            features=frozenset(known[number] for number in response.features if number in known),
            comparison_model=response.comparison_model,
        )

    async def analyze(
        self, pictures: Sequence[Picture], caller: Caller, features: frozenset[Feature] = frozenset()
    ) -> list[AnalyzedPicture]:
        """See the port."""
        results: list[AnalyzedPicture] = []
        wanted = sorted(_feature(feature) for feature in features)
        for batch in _batches(pictures):
            images = [wire.to_image(picture) for picture in batch]
            request = pb.AnalyzeRequest(images=images, features=wanted)
            response = await self._connection.unary("Analyze", request, caller, _ANALYZE_LIMIT_S)
            results += [_from_analyzed(message) for message in response.images]
        return results

    async def curate(self, photos: Sequence[Picture], caller: Caller) -> Curation:
        """See the port."""
        inline = sum(len(photo.data) for photo in photos) <= _MAX_BATCH_BYTES
        images = [wire.to_image(photo, inline=inline) for photo in photos]
        request = pb.CuratePhotosRequest(photos=images)
        response = await self._connection.unary("CuratePhotos", request, caller, _CURATE_LIMIT_S)
        return Curation(
            photos=tuple(_from_curated(message) for message in response.photos),
            attributes=wire.from_attributes(response.attributes),
            template_index=response.template_index,
        )


def _feature(feature: Feature) -> pb.FaceFeature:
    return pb.FaceFeature.Value(f"FACE_FEATURE_{feature.value}")


def _batches(pictures: Sequence[Picture]) -> Iterator[list[Picture]]:
    batch: list[Picture] = []
    size = 0
    for picture in pictures:
        if batch and (len(batch) == _MAX_BATCH or size + len(picture.data) > _MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(picture)
        size += len(picture.data)
    if batch:
        yield batch


def _from_analyzed(message: pb.AnalyzedImage) -> AnalyzedPicture:
    refusal = wire.from_refusal(message.refusal) if message.HasField("refusal") else None
    return AnalyzedPicture(tuple(wire.from_face(face) for face in message.faces), refusal)


def _from_curated(message: pb.CuratedPhoto) -> CuratedPhoto:
    return CuratedPhoto(
        name=message.name,
        is_accepted=message.is_accepted,
        refusals=wire.from_refusals(message.refusals),
        warnings=wire.from_refusals(message.warnings),
        face=wire.from_face(message.face) if message.HasField("face") else None,
        applied_rotation_degrees=message.applied_rotation_degrees,
        similarity_to_set=message.similarity_to_set,
    )
