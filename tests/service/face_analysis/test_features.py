"""Features on request, judged quality and comparison embeddings, over the real transport."""

import cv2
import numpy as np
import pytest
from likeness.face_analysis.v1 import face_analysis_pb2 as pb

from services.face_analysis import optional_nets
from services.face_analysis.adapters.fake import FakeBackend
from services.face_analysis.bootstrap import build
from services.face_analysis.settings import FaceAnalysisSettings
from services.fusion.domain.structure import SCHEME
from shared.images import encode_png
from tests.service.face_analysis.conftest import Stub, image, refused
from tests.support import faces, tiny_nets

STRUCTURE, MARKS = pb.FACE_FEATURE_STRUCTURE, pb.FACE_FEATURE_MARKS


@pytest.fixture
async def stub(serve, store) -> Stub:
    """The fake backend as it is configured, with its stand-ins for the nets."""
    return Stub(await serve([build(FaceAnalysisSettings(backend="fake"), store=store)]))


@pytest.fixture
async def bare_stub(serve, store, monkeypatch, tmp_path) -> Stub:
    """A server on which no net is installed."""
    monkeypatch.setattr(optional_nets, "STARTER_WEIGHTS", tmp_path / "none")
    service = build(FaceAnalysisSettings(), store=store, backend_factory=FakeBackend)
    return Stub(await serve([service]))


@pytest.fixture
async def tiny_stub(serve, store, tmp_path) -> Stub:
    """ONNX nets from configured folders."""
    settings = FaceAnalysisSettings(
        structure_folder=tiny_nets.write_structure(tmp_path / "s"),
        marks_folder=tiny_nets.write_marks(tmp_path / "m"),
        quality_folder=tiny_nets.write_quality(tmp_path / "q"),
    )
    return Stub(await serve([build(settings, store=store, backend_factory=FakeBackend)]))


async def only_face(stub, picture, *features):
    request = pb.AnalyzeRequest(images=[image(encode_png(picture))], features=features)
    [face] = (await stub.Analyze(request)).images[0].faces
    return face


class TestOnRequest:
    async def test_nothing_is_found_out_that_was_not_asked_for(self, stub):
        face = await only_face(stub, faces.drawn_face(1))

        assert not face.HasField("dense_landmarks") and not face.HasField("part_map")
        assert not face.has_marks_searched and not face.marks

    async def test_structure_has_points_and_a_map_that_can_be_read(self, stub):
        face = await only_face(stub, faces.drawn_face(1), STRUCTURE)

        assert face.dense_landmarks.scheme == SCHEME and len(face.dense_landmarks.points) == 106
        assert len(face.dense_landmarks.visibility) == 106
        labels = cv2.imdecode(np.frombuffer(face.part_map.image.data, np.uint8), cv2.IMREAD_UNCHANGED)
        assert labels.ndim == 2 and labels.dtype == np.uint8 and labels.max() < len(face.part_map.parts)
        box = face.part_map.box
        assert box.x1 - box.x0 == pytest.approx(box.y1 - box.y0, rel=1e-5)
        assert not face.has_marks_searched

    async def test_no_marks_found_differs_from_none_looked_for(self, stub):
        plain = np.full((128, 128, 3), (90, 110, 140), np.uint8)
        cv2.ellipse(plain, (64, 64), (32, 38), 0, 0, 360, faces.SKIN, -1)

        face = await only_face(stub, plain, MARKS)

        assert face.has_marks_searched and not face.marks

    async def test_a_stream_asks_picture_by_picture(self, stub):
        picture = image(encode_png(faces.drawn_face(1)))
        requests = [
            pb.AnalyzeStreamRequest(sequence=0, image=picture),
            pb.AnalyzeStreamRequest(sequence=1, image=picture, features=[STRUCTURE, MARKS]),
        ]

        answers = [answer async for answer in stub.AnalyzeStream(iter(requests))]

        assert [a.image.faces[0].HasField("dense_landmarks") for a in answers] == [False, True]
        assert [a.image.faces[0].has_marks_searched for a in answers] == [False, True]

    async def test_structure_is_of_the_turned_picture(self, serve, store, tmp_path, dlib_backend):
        settings = FaceAnalysisSettings(structure_folder=tiny_nets.write_structure(tmp_path))
        service = build(settings, store=store, backend_factory=lambda: dlib_backend)
        stub = Stub(await serve([service]))
        upright = np.ascontiguousarray(faces.sample(0)[:, 20:230])
        lying = np.ascontiguousarray(np.rot90(upright))

        straight, turned = [await only_face(stub, picture, STRUCTURE) for picture in (upright, lying)]

        assert turned.dense_landmarks == straight.dense_landmarks and turned.part_map == straight.part_map
        left, right, _ = straight.dense_landmarks.points
        assert left.x < straight.landmarks.nose.x < right.x and left.y == pytest.approx(right.y)

    @pytest.mark.parametrize("features", [[0], [99], [STRUCTURE, STRUCTURE]])
    async def test_unknown_and_repeated_features_are_refused(self, stub, features):
        request = pb.AnalyzeRequest(images=[image(b"x")], features=features)

        assert (await refused(stub.Analyze(request))).reason == "FIELD_INVALID"


class TestWithoutNets:
    @pytest.mark.parametrize(("feature", "name"), [(STRUCTURE, "structure"), (MARKS, "marks")])
    async def test_feature_without_a_net_names_the_file_and_the_command(self, bare_stub, feature, name):
        request = pb.AnalyzeRequest(images=[image(encode_png(faces.drawn_face(1)))], features=[feature])

        error = await refused(bare_stub.Analyze(request))

        assert (error.status, error.reason) == ("UNIMPLEMENTED", "CAPABILITY_UNAVAILABLE")
        assert f"{name}.onnx" in error.message
        assert f"git checkout -- starter/weights/{name}" in error.message

    async def test_everything_else_works(self, bare_stub):
        face = await only_face(bare_stub, faces.drawn_face(1))

        assert face.quality.overall > 0
        assert not face.quality.HasField("judged") and not face.quality.defects

    async def test_backend_says_what_is_missing_and_offers_no_feature(self, bare_stub):
        backend = await bare_stub.GetBackend(pb.GetBackendRequest())

        missing = {model.name: model.remedy for model in backend.models if not model.is_available}
        assert set(missing) == {"attributes", "structure", "marks", "quality"} and all(missing.values())
        assert not backend.features


class TestQuality:
    async def test_judged_quality_is_always_there_and_no_part_of_overall(self, tiny_stub, bare_stub):
        judged, plain = [await only_face(s, faces.drawn_face(1)) for s in (tiny_stub, bare_stub)]

        assert judged.quality.HasField("judged") and 0 <= judged.quality.judged <= 1
        assert [defect.name for defect in judged.quality.defects] == list(tiny_nets.LABELS)
        assert judged.quality.overall == plain.quality.overall


class TestComparison:
    async def test_plain_backends_compare_by_the_embedding_itself(self, stub):
        face = await only_face(stub, faces.drawn_face(1))
        backend = await stub.GetBackend(pb.GetBackendRequest())

        assert face.comparison_embedding.model == face.embedding.model == backend.comparison_model
        assert list(face.comparison_embedding.values) == pytest.approx(list(face.embedding.values), abs=1e-6)
        assert set(backend.features) == {STRUCTURE, MARKS}

    async def test_dlib_compares_renders_by_the_calibrated_metric(self, dlib_stub):
        backend = await dlib_stub.GetBackend(pb.GetBackendRequest())
        found = [await only_face(dlib_stub, faces.sample(*which)) for which in ((0, 0), (0, 1), (1, 0))]

        first, second, stranger = (np.array(f.comparison_embedding.values) for f in found)
        assert found[0].comparison_embedding.model == backend.comparison_model
        assert backend.comparison_model.startswith("dlib-resnet-v1+")
        assert found[0].embedding.model == "dlib-resnet-v1", "generators take the plain one"
        assert np.linalg.norm(first) == pytest.approx(1, abs=1e-5)
        assert first @ second > first @ stranger + 0.3
