"""The RPCs of the service: translate, call one use case, translate."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import grpc
from likeness.face_analysis.v1 import face_analysis_pb2 as pb
from likeness.face_analysis.v1 import face_analysis_pb2_grpc as pb_grpc

from services.face_analysis import convert
from services.face_analysis.domain.photos import Photo
from services.face_analysis.engine.face_analysis import Caller, FaceAnalysis
from shared.context import current_request
from shared.telemetry import stage

_SERVICE = "face_analysis"


class FaceAnalysisServicer(pb_grpc.FaceAnalysisServiceServicer):
    """See face_analysis.proto for what each method promises."""

    def __init__(self, analysis: FaceAnalysis) -> None:
        self._analysis = analysis

    async def Analyze(
        self, request: pb.AnalyzeRequest, context: grpc.aio.ServicerContext
    ) -> pb.AnalyzeResponse:
        """Analyse a batch."""
        with stage(_SERVICE, "analyze"):
            wanted = convert.from_proto_images(request.images, request.features)
            photos = await self._analysis.analyze(wanted, _caller())
        info = self._analysis.info
        return pb.AnalyzeResponse(images=[convert.to_proto_analyzed_image(photo, info) for photo in photos])

    async def AnalyzeStream(
        self, request_iterator: AsyncIterator[pb.AnalyzeStreamRequest], context: grpc.aio.ServicerContext
    ) -> AsyncIterator[pb.AnalyzeStreamResponse]:
        """Analyse pictures as they come, in order."""
        results = self._analysis.analyze_stream(_numbered(request_iterator), _caller())
        async with aclosing(results):
            async for sequence, photo in results:
                image = convert.to_proto_analyzed_image(photo, self._analysis.info)
                yield pb.AnalyzeStreamResponse(sequence=sequence, image=image)

    async def Compare(
        self, request: pb.CompareRequest, context: grpc.aio.ServicerContext
    ) -> pb.CompareResponse:
        """Compare two faces."""
        first, second = convert.from_proto_images([request.first, request.second])
        with stage(_SERVICE, "compare"):
            similarity = await self._analysis.compare(first, second, _caller())
        threshold = self._analysis.info.same_person_similarity
        return pb.CompareResponse(
            similarity=similarity,
            same_person_threshold=threshold,
            is_same_person=similarity >= threshold,
        )

    async def CuratePhotos(
        self, request: pb.CuratePhotosRequest, context: grpc.aio.ServicerContext
    ) -> pb.CuratePhotosResponse:
        """Say which photos are fit to train on."""
        min_size_px = request.min_face_px if request.HasField("min_face_px") else None
        with stage(_SERVICE, "curate_photos"):
            report = await self._analysis.curate_photos(
                convert.from_proto_images(request.photos), _caller(), min_size_px
            )
        return convert.to_proto_curation(report, self._analysis.info)

    async def GetBackend(
        self, request: pb.GetBackendRequest, context: grpc.aio.ServicerContext
    ) -> pb.GetBackendResponse:
        """Say which models are at work."""
        analysis = self._analysis
        return convert.to_proto_backend(analysis.info, analysis.optional_models, analysis.features)


def _caller() -> Caller:
    request = current_request()
    return Caller(request.tenant, request.token)


async def _numbered(requests: AsyncIterator[pb.AnalyzeStreamRequest]) -> AsyncIterator[tuple[int, Photo]]:
    async for request in requests:
        photo = convert.from_proto_image(request.image, request.sequence, request.features)
        yield request.sequence, photo
