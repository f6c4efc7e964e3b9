"""FaceAnalysisService, faked."""

from likeness.face_analysis.v1 import face_analysis_pb2, face_analysis_pb2_grpc

from shared.errors import LikenessError
from shared.images import decode_image
from shared.wire import read_bytes, to_refusal
from tests.support.fake_services.faces import faces_of, refusal_of
from tests.support.fake_services.fakes import Fakes


class FakeFaceAnalysis(face_analysis_pb2_grpc.FaceAnalysisServiceServicer):
    """Reads the truth from the pixels. A set's person is that of its first photo with one sharp face."""

    def __init__(self, fakes: Fakes) -> None:
        self._fakes = fakes

    async def Analyze(self, request, context):
        if (answer := self._fakes.script.take("Analyze", request)) is not None:
            return answer
        await self._fakes.pause()
        images = []
        for image in request.images:
            rgb = await self._fakes.rgb(image)
            images.append(
                face_analysis_pb2.AnalyzedImage(
                    faces=faces_of(rgb, self._fakes, request.features),
                    width_px=rgb.shape[1],
                    height_px=rgb.shape[0],
                )
            )
        return face_analysis_pb2.AnalyzeResponse(images=images)

    async def GetBackend(self, request, context):
        self._fakes.script.take("GetBackend", request)
        return face_analysis_pb2.GetBackendResponse(
            backend="fake", features=self._fakes.features, comparison_model=self._fakes.comparison
        )

    async def CuratePhotos(self, request, context):
        if (answer := self._fakes.script.take("CuratePhotos", request)) is not None:
            return answer
        await self._fakes.pause()
        verdicts, person = [], None
        for position, photo in enumerate(request.photos, start=1):
            verdict, person = await self._judge(photo, f"image {position}", person)
            verdicts.append(verdict)
        accepted = [position for position, verdict in enumerate(verdicts) if verdict.is_accepted]
        return face_analysis_pb2.CuratePhotosResponse(
            photos=verdicts,
            accepted_count=len(accepted),
            attributes=verdicts[accepted[0]].face.attributes if accepted else (),
            template_index=accepted[0] if accepted else -1,
        )

    async def _judge(self, photo, position, person):
        name = photo.name or position
        try:
            rgb = decode_image(await read_bytes(photo, position=name, store=self._fakes.store), name=name)
        except LikenessError as error:
            return face_analysis_pb2.CuratedPhoto(name=name, refusals=[to_refusal(error)]), person
        faces = faces_of(rgb, self._fakes)
        who = int(rgb[0, 1, 0])
        if len(faces) != 1:
            reason = "SEVERAL_FACES" if faces else "NO_FACE_FOUND"
        elif not rgb[0, 2, 0]:
            reason = "FACE_TOO_BLURRED"
        elif person is not None and who != person:
            reason = "DIFFERENT_PERSON"
        else:
            reason, person = "", who
        return (
            face_analysis_pb2.CuratedPhoto(
                name=name,
                is_accepted=not reason,
                refusals=[refusal_of(reason)] if reason else [],
                face=faces[0] if faces else None,
                similarity_to_set=0.99 if not reason else 0.0,
            ),
            person,
        )
