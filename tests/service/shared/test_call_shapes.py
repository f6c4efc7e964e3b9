"""All four shapes of calls carry messages and errors through our interceptors."""

import asyncio

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from shared.context import REQUEST_ID_HEADER
from shared.errors import ErrorReason
from shared.errors.common import HistoryGone
from shared.errors.rpc import DETAILS_KEY
from tests.support import echo
from tests.support.handlers import NoFaceFound, echo_service, ok, stream_of
from tests.support.outcomes import failure


async def test_all_four_call_shapes_work(serve):
    async def watch(request, context):
        for number in range(3):
            yield echo.response(request.text, number=number)

    async def upload(requests, context):
        return echo.response("".join([request.text async for request in requests]))

    async def chat(requests, context):
        async for request in requests:
            yield echo.response(request.text.upper())

    channel = await serve([echo_service(Echo=ok, Watch=watch, Upload=upload, Chat=chat)])
    request = echo.request

    assert (await echo.stub(channel, "Echo")(request("a"))).text == "a"
    assert [r.number async for r in echo.stub(channel, "Watch")(request("a"))] == [0, 1, 2]
    assert (await echo.stub(channel, "Upload")(stream_of(request("a"), request("b")))).text == "ab"
    assert [r.text async for r in echo.stub(channel, "Chat")(stream_of(request("a"), request("b")))] == [
        "A",
        "B",
    ]


@pytest.mark.parametrize("shape", ["Echo", "Watch", "Upload", "Chat"])
async def test_typed_errors_arrive_whole_in_every_shape(serve, shape):
    async def raising(request, context):
        raise NoFaceFound(image="image 2", min_face_px=64)

    async def raising_stream(request, context):
        yield echo.response("first")
        raise NoFaceFound(image="image 2", min_face_px=64)

    handler = raising_stream if shape in ("Watch", "Chat") else raising
    channel = await serve([echo_service(**{shape: handler})])
    argument = stream_of(echo.request("a")) if shape in ("Upload", "Chat") else echo.request("a")
    error = await failure(echo.stub(channel, shape)(argument))

    assert error.reason is ErrorReason.NO_FACE_FOUND
    assert error.metadata == {"image": "image 2", "min_face_px": "64"}
    assert error.message.startswith("No face of at least 64 px in image 2.")
    assert error.status == "INVALID_ARGUMENT"


async def test_details_are_a_google_rpc_status_that_any_client_can_read(serve):
    async def raising(request, context):
        raise HistoryGone()

    channel = await serve([echo_service(Echo=raising)])
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await echo.stub(channel, "Echo")(echo.request())
    trailing = dict(caught.value.trailing_metadata())
    status = status_pb2.Status.FromString(trailing[DETAILS_KEY])
    info = error_details_pb2.ErrorInfo()

    assert status.code == grpc.StatusCode.OUT_OF_RANGE.value[0]
    assert status.details[0].Unpack(info)
    assert (info.reason, info.domain) == ("HISTORY_GONE", "likeness")
    assert trailing[REQUEST_ID_HEADER]


async def test_method_that_the_servicer_does_not_implement_is_a_typed_error(serve):
    async def unimplemented(request, context):
        context.set_code(grpc.StatusCode.UNIMPLEMENTED)
        raise NotImplementedError("Method not implemented!")

    async def bug(request, context):
        raise NotImplementedError("forgot this")

    channel = await serve([echo_service(Echo=unimplemented, CreateEcho=bug)])

    assert (await failure(echo.stub(channel, "Echo")(echo.request()))).status == "UNIMPLEMENTED"
    assert (await failure(echo.stub(channel, "CreateEcho")(echo.request()))).status == "INTERNAL"


async def test_error_of_a_service_behind_us_is_passed_on_with_its_reason(serve):
    async def raising(request, context):
        raise NoFaceFound(image="image 2", min_face_px=64)

    behind = await serve([echo_service(Echo=raising)])

    async def forwarding(request, context):
        return await echo.stub(behind, "Echo")(request)

    channel = await serve([echo_service(Echo=forwarding)])
    error = await failure(echo.stub(channel, "Echo")(echo.request()))

    assert error.reason is ErrorReason.NO_FACE_FOUND
    assert error.metadata["image"] == "image 2"


async def test_finally_of_a_stream_handler_runs_when_the_client_leaves(serve):
    cleaned = asyncio.Event()

    async def watch(request, context):
        try:
            while True:
                yield echo.response("x")
                await asyncio.sleep(0.01)
        finally:
            cleaned.set()

    channel = await serve([echo_service(Watch=watch)])
    call = echo.stub(channel, "Watch")(echo.request())
    await call.read()
    call.cancel()

    await asyncio.wait_for(cleaned.wait(), 30)
