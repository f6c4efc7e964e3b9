"""Further facts of grpc.aio: what grpc does alone, and what our server makes of it."""

import asyncio
import re
import time
from pathlib import Path

import google.protobuf
import grpc
import pytest
from google.protobuf import runtime_version
from grpc_health.v1 import health_pb2, health_pb2_grpc

from shared.context import current_request
from shared.errors import ErrorReason, LikenessError
from shared.errors.rpc import from_rpc_error, to_status
from shared.progress import ProgressLog
from shared.server import LikenessServer, Service
from shared.settings import ServerSettings
from tests.support import echo
from tests.support.handlers import ok
from tests.support.outcomes import outcome
from tests.support.plain import plain_server

REPOSITORY = Path(__file__).parents[3]


# 7. stop(grace) waits for open streams.


async def test_plain_stop_waits_its_whole_grace_for_an_open_stream():
    async def watch(request, context):
        yield echo.response("first")
        await asyncio.sleep(60)

    async with plain_server(echo.add_to(Watch=watch)) as channel:
        call = echo.stub(channel, "Watch")(echo.request("x"))
        await call.read()
        start = time.perf_counter()
        await channel.server.stop(0.5)

        assert time.perf_counter() - start >= 0.45
        assert (await outcome(call.read())).code() is grpc.StatusCode.UNAVAILABLE


async def test_our_drain_ends_watches_cleanly_at_once(serve):
    log: ProgressLog[str] = ProgressLog()
    log.append("state")

    async def watch(request, context):
        async for event in log.subscribe():
            yield echo.response(event.payload or "")

    service = Service(echo.SERVICE, echo.add_to(Watch=watch), on_drain=log.drain)
    channel = await serve([service])
    call = echo.stub(channel, "Watch")(echo.request("x"))
    health_call = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
    assert (await call.read()).text == "state"
    await health_call.read()

    start = time.perf_counter()
    await serve.servers[-1].stop(grace_s=20)

    assert time.perf_counter() - start < 10
    assert await call.read() is grpc.aio.EOF
    assert await call.code() is grpc.StatusCode.OK


# 8. Two servers on one port.


async def test_plain_servers_share_a_port_silently():
    async with plain_server(echo.add_to(Echo=ok)) as channel:
        second = grpc.aio.server()
        assert second.add_insecure_port(f"127.0.0.1:{channel.port}") == channel.port


async def test_our_server_refuses_a_port_that_is_taken(serve):
    await serve([Service(echo.SERVICE, echo.add_to(Echo=ok))])
    port = serve.servers[-1].port
    with pytest.raises(RuntimeError, match=str(port)):
        await LikenessServer([], ServerSettings(port=port)).start()


# 9. Sizes.


async def test_messages_over_grpcs_4_mib_pass_and_over_our_limit_do_not(serve):
    async def size(request, context):
        return echo.response(number=len(request.blob))

    channel = await serve([Service(echo.SERVICE, echo.add_to(Echo=size))])
    call = echo.stub(channel, "Echo")
    assert (await call(echo.request(blob=bytes(6 * 2**20)))).number == 6 * 2**20

    error = await outcome(call(echo.request(blob=bytes(17 * 2**20))))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert from_rpc_error(error).reason is ErrorReason.MESSAGE_TOO_LARGE


def test_error_details_stay_under_8_kb_whatever_goes_in():
    for reason in ErrorReason:
        kind = type("Verbose", (LikenessError,), {"reason": reason})
        error = kind(**{field: "x" * 10_000 for field in kind(**_filled(reason)).spec.fields})
        assert to_status(error).ByteSize() < 8000


def _filled(reason):
    from shared.errors import CATALOGUE

    return dict.fromkeys(CATALOGUE[reason].fields, "x")


# 10. Deadlines may be absent; health starts as SERVING.


async def test_no_deadline_is_none_and_a_deadline_is_what_remains(serve):
    seen = []

    async def note(request, context):
        seen.append(current_request().deadline_s)
        return echo.response()

    async with plain_server(echo.add_to(Echo=note_time_remaining(seen))) as channel:
        await echo.stub(channel, "Echo")(echo.request())
    assert seen == [None]

    channel = await serve([Service(echo.SERVICE, echo.add_to(Watch=_as_stream(note)))])
    async for _ in echo.stub(channel, "Watch")(echo.request()):
        pass
    async for _ in echo.stub(channel, "Watch")(echo.request(), timeout=20):
        pass
    assert seen[1] is None
    assert 15 < seen[2] < 21


def note_time_remaining(seen):
    async def note(request, context):
        seen.append(context.time_remaining())
        return echo.response()

    return note


def _as_stream(handler):
    async def stream(request, context):
        yield await handler(request, context)

    return stream


async def test_health_is_not_serving_until_warm(serve):
    channel = await serve([Service(echo.SERVICE, echo.add_to(Echo=ok))], is_warm=False)
    check = health_pb2_grpc.HealthStub(channel).Check
    names = ("", echo.SERVICE)

    async def statuses():
        return [(await check(health_pb2.HealthCheckRequest(service=name))).status for name in names]

    assert await statuses() == [health_pb2.HealthCheckResponse.NOT_SERVING] * 2
    async with grpc.aio.insecure_channel(f"127.0.0.1:{serve.servers[-1].port}") as without_retries:
        error = await outcome(echo.stub(without_retries, "Echo")(echo.request()))
    assert from_rpc_error(error).reason is ErrorReason.NOT_WARM
    await serve.servers[-1].warm_up()
    assert await statuses() == [health_pb2.HealthCheckResponse.SERVING] * 2


# 11. Stubs refuse a runtime that is older than their generator.


def test_stubs_were_generated_by_a_release_the_runtime_accepts():
    installed = tuple(int(part) for part in google.protobuf.__version__.split("."))
    stubs = list((REPOSITORY / "protos" / "gen").rglob("*_pb2.py"))
    pattern = re.compile(r"Domain\.PUBLIC,\s*(\d+),\s*(\d+),\s*(\d+)")

    assert stubs
    for stub in stubs:
        found = pattern.search(stub.read_text())
        assert found, stub
        assert tuple(map(int, found.groups())) <= installed, stub


def test_stubs_of_a_newer_release_are_refused():
    major = int(google.protobuf.__version__.split(".")[0])
    with pytest.raises(runtime_version.VersionError):
        runtime_version.ValidateProtobufRuntimeVersion(
            runtime_version.Domain.PUBLIC, major + 1, 0, 0, "", "newer.proto"
        )
