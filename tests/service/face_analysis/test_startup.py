import grpc
import pytest
from likeness.face_analysis.v1 import face_analysis_pb2 as pb

from services.face_analysis.adapters.fake import FakeBackend
from services.face_analysis.bootstrap import build
from services.face_analysis.settings import FaceAnalysisSettings
from shared.errors.common import ModelMissing
from shared.images import encode_png
from tests.service.face_analysis.conftest import Stub, image, refused
from tests.support import faces, insightface_models


async def test_insightface_pair_from_disk_serves(serve, store, tmp_path):
    settings = FaceAnalysisSettings(
        backend="insightface",
        insightface_detector=insightface_models.write_detector(tmp_path / "det.onnx"),
        insightface_recogniser=insightface_models.write_recogniser(tmp_path / "rec.onnx"),
    )
    stub = Stub(await serve([build(settings, store=store)]))
    picture = encode_png(insightface_models.cells_picture((32, 2, 2)))

    response = await stub.Analyze(pb.AnalyzeRequest(images=[image(picture)]))
    backend = await stub.GetBackend(pb.GetBackendRequest())

    [face] = response.images[0].faces
    assert len(face.embedding.values) == 512 == backend.embedding_dimension
    assert "non-commercial" in backend.models[0].licence


@pytest.mark.parametrize("missing", ["insightface_detector", "insightface_recogniser"])
async def test_insightface_without_a_file_does_not_start_and_says_what_to_do(serve, store, tmp_path, missing):
    files = {
        "insightface_detector": insightface_models.write_detector(tmp_path / "det.onnx"),
        "insightface_recogniser": insightface_models.write_recogniser(tmp_path / "rec.onnx"),
    }
    del files[missing]
    settings = FaceAnalysisSettings(backend="insightface", **files)

    with pytest.raises(ModelMissing) as error:
        await serve([build(settings, store=store)])

    assert f"LIKENESS_FACE_ANALYSIS_{missing.upper()}" in error.value.message
    assert "non-commercial" in error.value.message


async def test_configured_attribute_model_that_is_absent_does_not_start(serve, store, tmp_path):
    settings = FaceAnalysisSettings(attributes_folder=tmp_path / "nowhere")

    with pytest.raises(ModelMissing, match=r"attributes\.onnx"):
        await serve([build(settings, store=store, backend_factory=FakeBackend)])


async def test_cold_service_refuses_with_not_warm(serve, store):
    service = build(FaceAnalysisSettings(), store=store, backend_factory=FakeBackend)
    channel = await serve([service], is_warm=False)
    # wait_for_ready does not help here, and no retry: the call itself is answered.
    call = Stub(channel).GetBackend(pb.GetBackendRequest(), timeout=0.15)

    with pytest.raises(grpc.RpcError) as caught:
        await call
    assert caught.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


async def test_more_images_than_may_wait_are_refused_with_a_delay(serve, store):
    import asyncio
    import threading

    release, started = threading.Event(), threading.Event()

    class SlowBackend(FakeBackend):
        def detect(self, rgb):
            if rgb.shape[0] != 128:  # the pool's own warm-up is 128 px
                started.set()
                release.wait(10)
            return super().detect(rgb)

    settings = FaceAnalysisSettings(max_waiting_images=2)
    stub = Stub(await serve([build(settings, store=store, backend_factory=SlowBackend)]))
    photo = image(encode_png(faces.drawn_face(1, size=160)))
    first = asyncio.ensure_future(stub.Analyze(pb.AnalyzeRequest(images=[photo, photo])))
    await asyncio.to_thread(started.wait, 5)

    error = await refused(stub.Analyze(pb.AnalyzeRequest(images=[photo])))

    assert (error.status, error.reason) == ("RESOURCE_EXHAUSTED", "QUEUE_FULL")
    assert error.retry_after_s and error.retry_after_s > 0
    release.set()
    assert len((await first).images) == 2
