"""The evaluation's chain does what the orchestrator does: a step that does harm is undone, and says why."""

from types import SimpleNamespace

import grpc
import numpy as np
import pytest
from likeness.common.v1 import face_pb2, image_pb2
from likeness.face_analysis.v1 import face_analysis_pb2 as analysis_pb
from likeness.fusion.v1 import fusion_pb2 as pb

from loadtests.common.services import Reader, Seen, Services
from loadtests.fusion.chain import Chain, five_points_only, fuse_request
from loadtests.fusion.looks import Eye, References
from services.orchestrator.domain.styles import FusionStrength

# Angle to the person, in radians, and quality of each picture.
PICTURES = {
    b"photo": (0.0, 0.9),
    b"candidate": (0.8, 0.8),
    b"fused": (0.4, 0.8),
    b"textured": (0.41, 0.8),
    b"marked": (0.4, 0.7),
    b"enhanced": (0.4, 0.95),
    b"spoiled": (0.1, 0.5),
}


def face(angle: float, quality: float) -> face_pb2.Face:
    values = [np.cos(angle), np.sin(angle)]
    return face_pb2.Face(
        embedding=image_pb2.Embedding(values=values, model="e"),
        quality=face_pb2.FaceQuality(judged=quality, overall=0.5),
    )


def seen(data: bytes) -> Seen:
    return Seen(data, (face(*PICTURES[data]),) if data in PICTURES else ())


class Refused(grpc.RpcError):
    def __init__(self, code) -> None:
        self._code = code

    def code(self):
        return self._code

    def details(self) -> str:
        return "why not"


class FakeFusion:
    """Answers each call with the picture it is told to, or raises what it is told to."""

    def __init__(self, **answers) -> None:
        self.answers = {"fuse": b"fused", "texture": b"textured", "marks": b"marked", "enhance": b"enhanced"}
        self.answers.update(answers)
        self.requests = []

    def _answer(self, name: str, request, response):
        self.requests.append(request)
        answer = self.answers[name]
        if isinstance(answer, Exception):
            raise answer
        response.image.data = answer
        return response

    def Fuse(self, request, timeout):
        return self._answer("fuse", request, pb.FuseResponse())

    def RestoreTexture(self, request, timeout):
        return self._answer("texture", request, pb.RestoreTextureResponse())

    def RestoreMarks(self, request, timeout):
        marks = [pb.RestoredMark(kind="mole"), pb.RestoredMark(kind="scar")]
        return self._answer("marks", request, pb.RestoreMarksResponse(marks=marks))

    def Enhance(self, request, timeout):
        return self._answer("enhance", request, pb.EnhanceResponse())


class Judge:
    name, takes_part = "same as ours", False

    def embed(self, picture: Seen):
        return np.array(picture.only.embedding.values, float) if picture.only else None


def finish(fusion: FakeFusion, data: bytes = b"candidate"):
    reader = SimpleNamespace(read_one=seen)
    own = np.array([1.0, 0.0])
    references = References((seen(b"photo"),), (own,), (own,))
    chain = Chain(Services(None, None, fusion), Eye(reader, Judge()), FusionStrength(), references)
    return chain.finish(seen(data))


def test_every_step_that_does_no_harm_is_kept():
    done = finish(FakeFusion())

    assert [(step.step, step.problem) for step in done.steps][:2] == [("fuse", ""), ("restore_texture", "")]
    assert done.pictures["finished"].data == b"enhanced"
    assert done.looks["candidate"].similarity == pytest.approx(np.cos(0.8))
    assert done.looks["fused"].similarity == pytest.approx(np.cos(0.4))


def test_a_step_that_costs_quality_is_undone_and_the_next_one_goes_on_from_before_it():
    fusion = FakeFusion()

    done = finish(fusion)

    marks = done.steps[2]
    assert (marks.step, marks.is_kept, marks.marks) == ("restore_marks", False, 2)
    assert marks.problem.startswith("it lowered the quality")
    assert done.pictures["restored"].data == b"textured"
    assert fusion.requests[-1].image.data == b"textured"


def test_fusion_that_is_undone_is_still_shown_and_measured():
    done = finish(FakeFusion(fuse=b"spoiled"))

    assert not done.steps[0].is_kept
    assert done.pictures["fused"].data == b"spoiled"
    assert done.looks["fused"].quality == pytest.approx(0.5)
    assert done.steps[1].before == done.looks["candidate"]


def test_a_refusal_is_noted_and_the_rest_goes_on():
    done = finish(FakeFusion(texture=Refused(grpc.StatusCode.INVALID_ARGUMENT)))

    assert done.steps[1].problem == "refused: why not"
    assert done.steps[1].after is None
    assert done.pictures["finished"].data == b"enhanced"


def test_a_fault_of_the_service_ends_the_run():
    with pytest.raises(grpc.RpcError):
        finish(FakeFusion(texture=Refused(grpc.StatusCode.INTERNAL)))


def test_a_candidate_without_a_face_goes_through_no_step():
    fusion = FakeFusion()

    done = finish(fusion, b"nobody")

    assert fusion.requests == []
    assert done.looks["finished"].similarity is None
    assert all(step.problem == "the picture does not show exactly one face" for step in done.steps)


def test_the_request_carries_what_the_style_says():
    strength = FusionStrength(strength=0.5, regions={"skin": 0.25}, warp="landmarks")

    request = fuse_request(seen(b"candidate"), [seen(b"photo")], strength)

    assert request.strength == 0.5
    assert request.region_weights.skin == 0.25
    assert not request.region_weights.HasField("lips")
    assert request.warp == pb.WARP_LANDMARKS


def test_five_points_are_all_that_the_old_way_gets():
    known = face(0.0, 1.0)
    known.dense_landmarks.scheme = "likeness-106"
    known.part_map.parts.append("skin")

    [stripped] = five_points_only(Seen(b"photo", (known,))).faces

    assert not stripped.HasField("dense_landmarks")
    assert not stripped.HasField("part_map")
    assert stripped.embedding == known.embedding
    assert known.HasField("dense_landmarks")


class FakeFaces:
    def __init__(self) -> None:
        self.asked = []

    def GetBackend(self, request, timeout):
        features = [analysis_pb.FACE_FEATURE_STRUCTURE, analysis_pb.FACE_FEATURE_MARKS]
        return analysis_pb.GetBackendResponse(features=features)

    def Analyze(self, request, timeout):
        self.asked.append(request)
        images = [analysis_pb.AnalyzedImage(faces=[face(0, 1)]) for _ in request.images]
        for image, sent in zip(images, request.images, strict=True):
            if sent.data == b"broken":
                image.refusal.message = "cannot be read"
        return analysis_pb.AnalyzeResponse(images=images)


def test_each_picture_is_read_once_and_marks_only_where_they_are_wanted():
    faces = FakeFaces()
    reader = Reader(Services(faces, None, None))

    first = reader.read([b"a", b"b", b"a"])
    reader.read([b"b"])
    reader.read([b"a"], marks=True)

    assert [len(request.images) for request in faces.asked] == [2, 1]
    assert first[0] is first[2]
    assert [list(request.features) for request in faces.asked] == [
        [analysis_pb.FACE_FEATURE_STRUCTURE],
        [analysis_pb.FACE_FEATURE_STRUCTURE, analysis_pb.FACE_FEATURE_MARKS],
    ]


def test_a_picture_that_cannot_be_read_is_a_fault():
    with pytest.raises(ValueError, match="cannot be read"):
        Reader(Services(FakeFaces(), None, None)).read([b"broken"])
