"""What our interceptors make of calls, over the real transport."""

import asyncio
import time

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from shared.channels import open_channel
from shared.context import REQUEST_ID_HEADER, TENANT_HEADER, current_request
from shared.errors import ErrorReason, LikenessError
from shared.errors.common import HistoryGone
from shared.errors.rpc import DETAILS_KEY, from_rpc_error
from shared.server import Service, ServiceLimits
from shared.telemetry.metrics import REGISTRY
from tests.support import echo
from tests.support.gated_unet import until


class NoFaceFound(LikenessError):
    reason = ErrorReason.NO_FACE_FOUND


async def ok(request, context):
    return echo.response(request.text)


def echo_service(*, limits=None, **handlers):
    return Service(echo.SERVICE, echo.add_to(**handlers), limits=limits or ServiceLimits())


async def failure(call):
    """The typed error that ends a call, by whichever shape."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        if hasattr(call, "__aiter__"):
            async for _ in call:
                pass
        else:
            await call
    return from_rpc_error(caught.value)


async def stream_of(*requests):
    for request in requests:
        yield request


# All four shapes carry messages and errors.


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


# Request context.


async def test_tenant_and_request_id_come_from_metadata_and_travel_to_the_next_service(serve):
    seen = []

    async def note(request, context):
        seen.append((current_request().tenant, current_request().request_id, current_request().method))
        return echo.response()

    behind = await serve([echo_service(CreateEcho=note)])

    async def forwarding(request, context):
        await note(request, context)
        return await echo.stub(behind, "CreateEcho")(request)

    channel = await serve([echo_service(Echo=forwarding)])
    metadata = ((TENANT_HEADER, "acme"), (REQUEST_ID_HEADER, "r-1"))
    await echo.stub(channel, "Echo")(echo.request(), metadata=metadata)

    path = f"/{echo.SERVICE}/"
    assert seen == [("acme", "r-1", f"{path}Echo"), ("acme", "r-1", f"{path}CreateEcho")]


@pytest.mark.parametrize("tenant", ["..", "a/b", "ACME", "x" * 64])
async def test_tenant_that_is_no_name_is_refused(serve, tenant):
    channel = await serve([echo_service(Echo=ok)])
    error = await failure(echo.stub(channel, "Echo")(echo.request(), metadata=((TENANT_HEADER, tenant),)))

    assert error.reason is ErrorReason.FIELD_INVALID
    assert error.violations[0].field == f"metadata {TENANT_HEADER}"


async def test_request_id_that_would_forge_log_lines_is_replaced(serve):
    async def note(request, context):
        return echo.response(current_request().request_id[:8])

    channel = await serve([echo_service(Echo=note)])
    metadata = ((REQUEST_ID_HEADER, 'x" level="error'),)
    answer = await echo.stub(channel, "Echo")(echo.request(), metadata=metadata)

    assert len(answer.text) == 8
    assert answer.text.isalnum()


async def test_deadline_of_the_client_travels_to_the_next_service(serve):
    seen = []

    async def note(request, context):
        seen.append(context.time_remaining())
        return echo.response()

    behind = await serve([echo_service(CreateEcho=note)])

    async def forwarding(request, context):
        return await echo.stub(behind, "CreateEcho")(request)

    channel = await serve([echo_service(Echo=forwarding)])
    await echo.stub(channel, "Echo")(echo.request(), timeout=100)

    assert 70 < seen[0] <= 102.8


# Deadline guard.


async def test_deadline_below_the_services_minimum_is_refused_at_once(serve):
    limits = ServiceLimits(min_deadlines_s={"Echo": 60.0})
    channel = await serve([echo_service(Echo=ok, limits=limits)])
    start = time.perf_counter()
    error = await failure(echo.stub(channel, "Echo")(echo.request(), timeout=30))

    assert error.reason is ErrorReason.DEADLINE_TOO_SHORT
    assert error.metadata["needed_s"] == "60"
    assert time.perf_counter() - start < 15
    assert (await echo.stub(channel, "Echo")(echo.request("a"), timeout=90)).text == "a"


async def test_deadline_in_the_past_is_a_deadline_error(serve):
    channel = await serve([echo_service(Echo=ok)])
    error = await failure(echo.stub(channel, "Echo")(echo.request(), timeout=-1))

    assert error.status == "DEADLINE_EXCEEDED"


async def test_default_deadline_ends_a_call_that_has_none_and_trips_its_token(serve):
    tokens = []

    async def slow(request, context):
        tokens.append(current_request().token)
        assert current_request().deadline_s < 0.2
        await asyncio.sleep(30)

    limits = ServiceLimits(default_deadline_s=0.1)
    await serve([echo_service(Echo=slow, limits=limits)])
    async with grpc.aio.insecure_channel(f"127.0.0.1:{serve.servers[-1].port}") as plain:
        error = await failure(echo.stub(plain, "Echo")(echo.request()))

    assert error.reason is ErrorReason.DEADLINE_EXCEEDED
    # The status is sent first.
    await until(lambda: tokens[0].cancelled)


async def test_a_timeout_inside_the_handler_is_not_taken_for_the_deadline(serve):
    async def broken(request, context):
        raise TimeoutError("disk")

    channel = await serve([echo_service(Echo=broken, limits=ServiceLimits(default_deadline_s=5))])

    assert (await failure(echo.stub(channel, "Echo")(echo.request()))).reason is ErrorReason.INTERNAL


# Validation.


async def test_broken_rule_is_refused_with_the_path_of_the_field(serve):
    channel = await serve([echo_service(Echo=ok)])
    error = await failure(echo.stub(channel, "Echo")(echo.request("123456789")))

    assert error.reason is ErrorReason.FIELD_INVALID
    assert [(v.field, v.problem) for v in error.violations] == [("text", "must be at most 8 characters")]
    assert error.message.startswith("text: must be at most 8 characters.")


async def test_each_message_of_a_client_stream_is_checked(serve):
    received = []

    async def upload(requests, context):
        async for request in requests:
            received.append(request.text)
        return echo.response()

    channel = await serve([echo_service(Upload=upload)])
    messages = stream_of(echo.request("good"), echo.request("far too long"), echo.request("late"))
    error = await failure(echo.stub(channel, "Upload")(messages))

    assert error.reason is ErrorReason.FIELD_INVALID
    assert received == ["good"]


# Admission.


class Slow:
    """A handler that holds its slot until released."""

    def __init__(self):
        self.running = 0
        self.most = 0
        self.release = asyncio.Event()

    async def echo(self, request, context):
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.release.wait()
        finally:
            self.running -= 1
        return echo.response(request.text)

    async def until(self, running):
        while self.running != running:
            await asyncio.sleep(0.005)


async def test_calls_over_the_limit_wait_and_over_the_queue_are_refused_with_a_delay(serve):
    slow = Slow()
    limits = ServiceLimits(max_concurrent_rpcs=2, max_queued_rpcs=1)
    channel = await serve([echo_service(Echo=slow.echo, limits=limits)])
    call = echo.stub(channel, "Echo")
    admitted = [asyncio.ensure_future(call(echo.request(f"{n}"))) for n in range(2)]
    await asyncio.wait_for(slow.until(2), 30)
    waiting = asyncio.ensure_future(call(echo.request("2")))
    while not REGISTRY.get_sample_value("likeness_queue_depth", {"queue": echo.SERVICE}):
        await asyncio.sleep(0.005)
    error = await failure(call(echo.request("3")))

    assert error.reason is ErrorReason.QUEUE_FULL
    assert error.status == "RESOURCE_EXHAUSTED"
    assert error.retry_after_s >= 0.1
    slow.release.set()
    assert [(await c).text for c in [*admitted, waiting]] == ["0", "1", "2"]
    assert slow.most == 2


async def test_cancelled_work_frees_its_slot(serve):
    slow = Slow()
    limits = ServiceLimits(max_concurrent_rpcs=1, max_queued_rpcs=0)
    channel = await serve([echo_service(Echo=slow.echo, CreateEcho=ok, limits=limits)])
    call = echo.stub(channel, "Echo")(echo.request())
    await asyncio.wait_for(slow.until(1), 30)
    busy = await failure(echo.stub(channel, "CreateEcho")(echo.request()))
    call.cancel()
    await asyncio.wait_for(slow.until(0), 30)

    assert busy.reason is ErrorReason.QUEUE_FULL
    assert (await echo.stub(channel, "CreateEcho")(echo.request("a"))).text == "a"


async def test_streams_have_their_own_limit_and_do_not_take_slots(serve):
    async def watch(request, context):
        yield echo.response("first")
        await asyncio.sleep(30)

    limits = ServiceLimits(max_concurrent_rpcs=1, max_queued_rpcs=0, max_streams=2)
    channel = await serve([echo_service(Echo=ok, Watch=watch, limits=limits)])
    watches = [echo.stub(channel, "Watch")(echo.request()) for _ in range(2)]
    for call in watches:
        await call.read()

    assert (await failure(echo.stub(channel, "Watch")(echo.request()))).reason is ErrorReason.QUEUE_FULL
    assert (await echo.stub(channel, "Echo")(echo.request("a"))).text == "a"
    for call in watches:
        call.cancel()


# Life cycle.


async def test_services_close_in_reverse_order_after_the_last_call_and_only_once(serve):
    order = []
    arrived, drained = asyncio.Event(), asyncio.Event()

    def service(name, **handlers):
        def on_drain():
            order.append(f"drain {name}")
            if name != echo.SERVICE:
                drained.set()

        async def close():
            order.append(f"close {name}")

        return Service(name, echo.add_to(**handlers), close=close, on_drain=on_drain)

    async def slow(request, context):
        arrived.set()
        await drained.wait()
        # Whoever does not wait for calls has closed by then.
        await asyncio.sleep(0.2)
        order.append("call ended")
        return echo.response("a")

    first = service(echo.SERVICE, Echo=slow)
    second = service("likeness.test.v1.OtherService")
    await serve([first])
    server = type(serve.servers[-1])([first, second])
    port = await server.start()
    await server.warm_up()
    async with open_channel(f"127.0.0.1:{port}", [echo.SERVICE]) as channel:
        call = asyncio.ensure_future(echo.stub(channel, "Echo")(echo.request()))
        await asyncio.wait_for(arrived.wait(), 30)
        await asyncio.gather(server.stop(grace_s=30), server.stop(grace_s=0))
        assert (await call).text == "a"

    names = [echo.SERVICE, "likeness.test.v1.OtherService"]
    assert order == [
        *(f"drain {name}" for name in names),
        "call ended",
        *(f"close {name}" for name in reversed(names)),
    ]


async def test_close_that_fails_does_not_keep_the_others_open(serve):
    closed = []

    async def fails():
        raise OSError("disk full")

    async def closes():
        closed.append("first")

    services = [
        Service(echo.SERVICE, echo.add_to(Echo=ok), close=closes),
        Service("likeness.test.v1.OtherService", echo.add_to(), close=fails),
    ]
    await serve([services[0]])
    server = type(serve.servers[-1])(services)
    await server.start()
    await server.stop()

    assert closed == ["first"]


async def test_reflection_lists_the_services(serve):
    channel = await serve([echo_service(Echo=ok)])
    ask = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo
    answers = [a async for a in ask(stream_of(reflection_pb2.ServerReflectionRequest(list_services="")))]
    names = {service.name for service in answers[0].list_services_response.service}

    assert {echo.SERVICE, "grpc.health.v1.Health"} <= names


# Telemetry.


def sample(name, **labels):
    return REGISTRY.get_sample_value(name, {"service": echo.SERVICE, **labels}) or 0.0


async def test_each_rpc_is_counted_timed_and_tracked(serve):
    async def raising(request, context):
        raise NoFaceFound(image="a", min_face_px=1)

    channel = await serve([echo_service(Echo=ok, CreateEcho=raising)])
    before = sample("likeness_rpc_total", method="Echo", code="OK")
    failed = sample("likeness_rpc_total", method="CreateEcho", code="INVALID_ARGUMENT")
    timed = sample("likeness_rpc_seconds_count", method="Echo")
    await echo.stub(channel, "Echo")(echo.request())
    await failure(echo.stub(channel, "CreateEcho")(echo.request()))
    # The client has its error before the server counts it.
    await until(lambda: sample("likeness_rpc_total", method="CreateEcho", code="INVALID_ARGUMENT") > failed)

    assert sample("likeness_rpc_total", method="Echo", code="OK") == before + 1
    assert sample("likeness_rpc_total", method="CreateEcho", code="INVALID_ARGUMENT") == failed + 1
    assert sample("likeness_rpc_seconds_count", method="Echo") == timed + 1
    assert sample("likeness_rpc_in_flight", method="Echo") == 0


async def test_access_log_tells_code_reason_tenant_and_request(serve, capsys):
    async def raising(request, context):
        raise NoFaceFound(image="a", min_face_px=1)

    channel = await serve([echo_service(Echo=raising)])
    metadata = ((TENANT_HEADER, "acme"), (REQUEST_ID_HEADER, "r-77"))
    await failure(echo.stub(channel, "Echo")(echo.request(), metadata=metadata))
    log = ""
    async with asyncio.timeout(10):
        # The client has its error before the server logs.
        while "rpc.finished" not in (log := log + capsys.readouterr().out):
            await asyncio.sleep(0.005)
    line = next(line for line in log.splitlines() if "rpc.finished" in line)

    for part in ("code=INVALID_ARGUMENT", "reason=NO_FACE_FOUND", "tenant=acme", "request_id=r-77"):
        assert part in line


async def test_gone_client_is_counted_as_cancelled(serve):
    slow = Slow()
    channel = await serve([echo_service(Echo=slow.echo)])
    before = sample("likeness_rpc_total", method="Echo", code="CANCELLED")
    call = echo.stub(channel, "Echo")(echo.request())
    await asyncio.wait_for(slow.until(1), 30)
    call.cancel()
    await asyncio.wait_for(slow.until(0), 30)
    await until(lambda: sample("likeness_rpc_total", method="Echo", code="CANCELLED") > before)

    assert sample("likeness_rpc_total", method="Echo", code="CANCELLED") == before + 1
