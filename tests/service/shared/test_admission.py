"""Requests that break a rule or come when the service is full are refused, with what to do."""

import asyncio

from shared.errors import ErrorReason
from shared.server import ServiceLimits
from shared.telemetry.metrics import REGISTRY
from tests.support import echo
from tests.support.handlers import Slow, echo_service, ok, stream_of
from tests.support.outcomes import failure

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
