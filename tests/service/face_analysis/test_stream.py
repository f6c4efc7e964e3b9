import asyncio

import grpc
import pytest
from likeness.face_analysis.v1 import face_analysis_pb2 as pb

from services.face_analysis.bootstrap import build
from services.face_analysis.settings import FaceAnalysisSettings
from shared.errors.rpc import from_rpc_error
from shared.images import encode_png
from shared.telemetry.metrics import REGISTRY
from tests.service.face_analysis.conftest import CountingBackend, Stub, image
from tests.support import faces
from tests.support.gated_unet import until

SERVICE = pb.DESCRIPTOR.services_by_name["FaceAnalysisService"].full_name


def request(sequence: int, seed: int = 1) -> pb.AnalyzeStreamRequest:
    return pb.AnalyzeStreamRequest(sequence=sequence, image=image(encode_png(faces.drawn_face(seed))))


async def test_answers_come_in_order_with_the_clients_own_numbers(fake_stub):
    sequences = [7, 3, 3, 100, 0]

    async def send():
        for sequence in sequences:
            yield request(sequence)

    answers = [answer async for answer in fake_stub.AnalyzeStream(send())]

    assert [answer.sequence for answer in answers] == sequences
    assert all(len(answer.image.faces) == 1 for answer in answers)


async def test_a_client_may_wait_for_each_answer_before_it_sends_on(fake_stub):
    call = fake_stub.AnalyzeStream()
    for sequence in range(3):
        await call.write(request(sequence))
        answer = await asyncio.wait_for(call.read(), 30)
        assert answer.sequence == sequence
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF


async def test_unreadable_picture_is_refused_and_the_stream_goes_on(fake_stub):
    async def send():
        yield pb.AnalyzeStreamRequest(sequence=0, image=image(b"?"))
        yield request(1)

    answers = [answer async for answer in fake_stub.AnalyzeStream(send())]

    assert answers[0].image.refusal.reason == "IMAGE_UNREADABLE"
    assert len(answers[1].image.faces) == 1


async def test_invalid_message_ends_the_stream_after_the_answers_before_it(fake_stub):
    async def send():
        yield request(0)
        yield pb.AnalyzeStreamRequest(sequence=-1, image=image(b"x"))

    answers, call = [], fake_stub.AnalyzeStream(send())
    with pytest.raises(grpc.RpcError) as caught:
        async for answer in call:
            answers.append(answer.sequence)

    assert answers == [0]
    error = from_rpc_error(caught.value)
    assert (error.reason, error.metadata["field"]) == ("FIELD_INVALID", "sequence")


async def test_empty_stream_ends_in_order(fake_stub):
    call = fake_stub.AnalyzeStream()
    await call.done_writing()

    assert [answer async for answer in call] == []
    assert await call.code() == grpc.StatusCode.OK


@pytest.fixture
async def counted(serve, store):
    backend = CountingBackend()
    service = build(FaceAnalysisSettings(), store=store, backend_factory=lambda: backend)
    stub = Stub(await serve([service]))
    backend.seen = 0
    return stub, backend


def cancelled_count() -> float:
    """How many streams ended because their client left."""
    labels = {"service": SERVICE, "method": "AnalyzeStream", "code": "CANCELLED"}
    return REGISTRY.get_sample_value("likeness_rpc_total", labels) or 0.0


async def test_work_ends_when_the_client_goes(counted):
    stub, backend = counted
    before = cancelled_count()

    async def send():
        for sequence in range(10_000):
            yield request(sequence)

    call = stub.AnalyzeStream(send())
    await asyncio.wait_for(call.read(), 30)
    call.cancel()
    await until(lambda: cancelled_count() > before)
    # A thread that had a picture in hand may still look at it.
    await asyncio.sleep(0.2)
    seen = backend.seen
    await asyncio.sleep(0.2)

    assert backend.seen == seen < 10_000
