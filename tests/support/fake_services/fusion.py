"""FusionService, faked."""

import numpy as np
from likeness.common.v1 import image_pb2
from likeness.fusion.v1 import fusion_pb2, fusion_pb2_grpc

from shared.images import encode_png
from tests.support.fake_services.faces import refusal_of
from tests.support.fake_services.fakes import Fakes
from tests.support.fake_services.pictures import FUSED_LIKENESS

# Least cosine of a candidate, where the caller asks for no other.
GATE = 0.9


class FakeFusion(fusion_pb2_grpc.FusionServiceServicer):
    """Mixes pixels, keeps the truth, ranks by cosine."""

    def __init__(self, fakes: Fakes) -> None:
        self._fakes = fakes

    async def Fuse(self, request, context):
        if (answer := self._fakes.script.take("Fuse", request)) is not None:
            return answer
        await self._fakes.hold("Fuse")
        await self._fakes.pause()
        rgb = await self._fakes.rgb(request.candidate.image)
        template = await self._fakes.rgb(request.templates[0].image)
        side = min(rgb.shape[0], template.shape[0])
        mixed = rgb.copy()
        mixed[8:side] = (rgb[8:side] // 2) + (np.resize(template, rgb.shape)[8:side] // 2)
        mixed[0, 3] = FUSED_LIKENESS
        face = fusion_pb2.FusedFace(pose_similarity=0.9, expression_similarity=0.8, warp=request.warp)
        return fusion_pb2.FuseResponse(
            image=image_pb2.Image(data=encode_png(mixed)), faces=[face], backend="fake", pose_similarity=0.9
        )

    async def RestoreTexture(self, request, context):
        if (answer := self._fakes.script.take("RestoreTexture", request)) is not None:
            return answer
        rgb = await self._fakes.rgb(request.candidate.image)
        rgb[2] //= 2
        return fusion_pb2.RestoreTextureResponse(
            image=image_pb2.Image(data=encode_png(rgb)), strength=0.4, added_contrast=1.5
        )

    async def RestoreMarks(self, request, context):
        if (answer := self._fakes.script.take("RestoreMarks", request)) is not None:
            return answer
        rgb = await self._fakes.rgb(request.candidate.image)
        x, y = 20, 30
        rgb[y, x] = 0
        mark = fusion_pb2.RestoredMark(
            kind="mole", center=image_pb2.Point(x=x, y=y), radius_px=1.5, confidence=0.9, seen_in=3
        )
        skipped = fusion_pb2.SkippedMark(kind="scar", reason=fusion_pb2.MARK_SKIP_TURNED_AWAY)
        image = image_pb2.Image(data=encode_png(rgb))
        return fusion_pb2.RestoreMarksResponse(image=image, marks=[mark], skipped=[skipped])

    async def Enhance(self, request, context):
        if (answer := self._fakes.script.take("Enhance", request)) is not None:
            return answer
        rgb = await self._fakes.rgb(request.image)
        scaled = np.repeat(np.repeat(rgb, request.scale, axis=0), request.scale, axis=1)
        kept = scaled.copy()
        kept[0, :5] = rgb[0, :5]
        # One pixel says how often it was enhanced, as a real enhancer never leaves a picture as it was.
        kept[1, 0] = rgb[1, 0] // 2
        names = {"enhancer": "fake"} if request.strength > 0 else {}
        if request.scale > 1:
            names["upscaler"] = "fake"
        return fusion_pb2.EnhanceResponse(image=image_pb2.Image(data=encode_png(kept)), **names)

    async def Rank(self, request, context):
        if (answer := self._fakes.script.take("Rank", request)) is not None:
            return answer
        await self._fakes.hold("Rank")
        await self._fakes.pause()
        gate = request.identity_gate if request.HasField("identity_gate") else GATE
        models = {item.model for item in request.references}
        assert models == {self._fakes.comparison}, "compared by the comparison embeddings"
        references = np.array([list(item.values) for item in request.references])
        ranked = [self._verdict(item, references, gate, request.face_optional) for item in request.candidates]
        ranked.sort(key=lambda item: (item.HasField("rejection"), -item.score, item.candidate_id))
        rank = 0
        for item in ranked:
            if not item.HasField("rejection"):
                rank += 1
                item.rank = rank
        rates = {} if request.HasField("identity_gate") else {"false_accept_rate": 0.001}
        return fusion_pb2.RankResponse(candidates=ranked, identity_gate=gate, **rates)

    def _verdict(self, item, references, gate, face_optional):
        verdict = fusion_pb2.RankedCandidate(candidate_id=item.candidate_id, best_reference_index=-1)
        if face_optional and not item.faces:
            return verdict
        if len(item.faces) != 1:
            verdict.rejection.CopyFrom(refusal_of("SEVERAL_FACES" if item.faces else "NO_FACE_FOUND"))
            return verdict
        cosines = references @ np.array(item.faces[0].comparison_embedding.values)
        verdict.best_similarity = float(cosines.max())
        verdict.mean_similarity = float(cosines.mean())
        verdict.best_reference_index = int(cosines.argmax())
        verdict.score = max(0.0, verdict.best_similarity)
        if verdict.best_similarity < gate:
            verdict.rejection.CopyFrom(refusal_of("BELOW_IDENTITY_GATE"))
        return verdict
