"""The facts of grpc.aio that decide the bootstrap: what grpc does alone, and what our server makes of it."""

import asyncio
import json
import re
import signal
import sys
import threading
import time
from contextlib import asynccontextmanager
from pathlib import Path

import google.protobuf
import grpc
import pytest
from google.protobuf import runtime_version
from grpc_health.v1 import health_pb2, health_pb2_grpc

from shared.cancellation import CancellationToken
from shared.channels import open_channel
from shared.context import current_request
from shared.errors import ErrorReason, LikenessError
from shared.errors.rpc import from_rpc_error, to_status
from shared.progress import ProgressLog
from shared.server import LikenessServer, Service
from shared.settings import ServerSettings
from tests.support import echo
from tests.support.plain import plain_server

REPOSITORY = Path(__file__).parents[3]


async def ok(request, context):
    return echo.response(request.text)


async def leak_cancellation(request, context):
    inner = asyncio.ensure_future(asyncio.sleep(60))
    inner.cancel()
    await inner


async def fail_with_a_secret(request, context):
    raise ValueError("password=hunter2")


async def outcome(call) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


# 1. The first interceptor is the outermost.


async def test_first_interceptor_in_the_list_is_the_outermost():
    seen = []

    class Noting(grpc.aio.ServerInterceptor):
        def __init__(self, name):
            self.name = name

        async def intercept_service(self, continuation, details):
            handler = await continuation(details)

            async def wrapped(request, context):
                seen.append(f"{self.name} in")
                answer = await handler.unary_unary(request, context)
                seen.append(f"{self.name} out")
                return answer

            return grpc.unary_unary_rpc_method_handler(
                wrapped, handler.request_deserializer, handler.response_serializer
            )

    async with plain_server(echo.add_to(Echo=ok), [Noting("A"), Noting("B")]) as channel:
        await echo.stub(channel, "Echo")(echo.request("x"))

    assert seen == ["A in", "B in", "B out", "A out"]


# 2. Signals.


@asynccontextmanager
async def running_server(*command):
    """A server process and its port; whatever the test does, it does not outlive it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, cwd=REPOSITORY, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process, (await read_event(process, "server.listening"))["port"]
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def read_event(process, name):
    """The next event of this name in the log of the process."""
    async for line in process.stderr:
        event = json.loads(line)
        if event["event"] == name:
            return event
    raise AssertionError(f"ended with {await process.wait()} before {name}")


async def events_until_exit(process):
    log = (await asyncio.wait_for(process.communicate(), 30))[1]
    return [json.loads(line)["event"] for line in log.splitlines()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signal_lets_the_call_in_flight_finish_and_exits_with_zero(number):
    async with running_server("-m", "tests.support.echo_server", "ok") as (process, port):
        async with open_channel(f"127.0.0.1:{port}", [echo.SERVICE]) as channel:
            await echo.stub(channel, "Echo")(echo.request("first"), wait_for_ready=True)
            await read_event(process, "echo.begun")
            in_flight = asyncio.ensure_future(echo.stub(channel, "Echo")(echo.request("last", number=500)))
            await read_event(process, "echo.begun")
            process.send_signal(number)

            assert (await in_flight).text == "last"
        events = await events_until_exit(process)
    assert process.returncode == 0
    assert events[-1] == "server.stopped"


async def test_second_signal_exits_at_once():
    async with (
        running_server("-m", "tests.support.echo_server", "ok") as (process, port),
        open_channel(f"127.0.0.1:{port}", [echo.SERVICE]) as channel,
    ):
        call = echo.stub(channel, "Echo")(echo.request("x", number=20_000))
        await read_event(process, "echo.begun")
        process.send_signal(signal.SIGTERM)
        await read_event(process, "server.draining")
        assert process.returncode is None
        start = time.perf_counter()
        process.send_signal(signal.SIGTERM)
        await events_until_exit(process)
        took_s = time.perf_counter() - start
        call.cancel()

    assert process.returncode == 128 + signal.SIGTERM
    assert took_s < 10


async def test_signal_during_a_warm_up_that_hangs_still_ends_the_process():
    async with running_server("-m", "tests.support.echo_server", "cold") as (process, _):
        process.send_signal(signal.SIGTERM)

        assert "server.stopped" in await events_until_exit(process)
    assert process.returncode == 0


async def test_failed_warm_up_exits_with_one():
    async with running_server("-m", "tests.support.echo_server", "broken") as (process, _):
        assert "server.warm_up_failed" in await events_until_exit(process)
    assert process.returncode == 1


PLAIN_SERVER = """
import asyncio, json, sys, grpc
async def serve():
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(json.dumps({"event": "server.listening", "port": port}), file=sys.stderr, flush=True)
    try:
        await server.wait_for_termination()
    finally:
        print(json.dumps({"event": "finally"}), file=sys.stderr, flush=True)
asyncio.run(serve())
"""


async def test_sigterm_kills_a_plain_server_without_its_finally():
    async with running_server("-c", PLAIN_SERVER) as (process, _):
        process.send_signal(signal.SIGTERM)

        assert await events_until_exit(process) == []
    assert process.returncode == -signal.SIGTERM


# 3. A CancelledError that leaks from inside.


async def test_cancellation_from_inside_leaves_a_plain_client_hanging():
    async with plain_server(echo.add_to(Echo=leak_cancellation)) as channel:
        call = echo.stub(channel, "Echo")(echo.request("x"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(asyncio.ensure_future(call)), 0.4)
        call.cancel()


async def test_cancellation_from_inside_reaches_our_client_as_cancelled(serve):
    channel = await serve([Service(echo.SERVICE, echo.add_to(Echo=leak_cancellation))])

    error = await outcome(asyncio.wait_for(echo.stub(channel, "Echo")(echo.request("x")), 30))

    assert error.code() is grpc.StatusCode.CANCELLED
    assert from_rpc_error(error).reason is ErrorReason.CANCELLED


async def test_cancellation_from_inside_a_stream_reaches_our_client_too(serve):
    async def watch(request, context):
        yield echo.response("first")
        await leak_cancellation(request, context)

    channel = await serve([Service(echo.SERVICE, echo.add_to(Watch=watch))])
    call = echo.stub(channel, "Watch")(echo.request("x"))

    assert (await asyncio.wait_for(call.read(), 30)).text == "first"
    error = await outcome(asyncio.wait_for(call.read(), 30))
    assert from_rpc_error(error).reason is ErrorReason.CANCELLED


# 4. Client cancel and deadline stop the handler, not its threads.


class Work:
    """A blocking loop in a thread, as an engine has it."""

    def __init__(self):
        self.started = threading.Event()
        self.ended = threading.Event()
        self.token = CancellationToken()

    async def echo(self, request, context):
        self.token = current_request().token
        await asyncio.to_thread(self._loop)

    def _loop(self):
        self.started.set()
        self.token.wait(40)
        self.ended.set()


@pytest.mark.parametrize("ending", ["cancel", "deadline"])
async def test_gone_client_trips_the_token_that_threads_poll(serve, ending):
    work = Work()
    channel = await serve([Service(echo.SERVICE, echo.add_to(Echo=work.echo))])
    call = echo.stub(channel, "Echo")(echo.request("x"), timeout=3 if ending == "deadline" else 60)
    assert await asyncio.to_thread(work.started.wait, 20)

    assert not work.token.cancelled
    if ending == "cancel":
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    else:
        assert (await outcome(call)).code() is grpc.StatusCode.DEADLINE_EXCEEDED

    assert await asyncio.to_thread(work.ended.wait, 20)
    assert work.token.cancelled


# 5. context.abort raises an Exception.


async def test_abort_of_a_handler_keeps_its_status(serve):
    assert issubclass(grpc.aio.AbortError, Exception)

    async def aborting(request, context):
        await context.abort(grpc.StatusCode.DATA_LOSS, "as the handler said")

    channel = await serve([Service(echo.SERVICE, echo.add_to(Echo=aborting))])
    error = await outcome(echo.stub(channel, "Echo")(echo.request("x")))

    assert (error.code(), error.details()) == (grpc.StatusCode.DATA_LOSS, "as the handler said")


# 6. Uncaught exceptions.


async def test_plain_server_sends_the_text_of_an_exception():
    async with plain_server(echo.add_to(Echo=fail_with_a_secret)) as channel:
        error = await outcome(echo.stub(channel, "Echo")(echo.request("x")))

    assert error.code() is grpc.StatusCode.UNKNOWN
    assert "hunter2" in error.details()


async def test_our_server_sends_an_id_and_logs_the_text_under_it(serve, capsys):
    channel = await serve([Service(echo.SERVICE, echo.add_to(Echo=fail_with_a_secret))])
    error = await outcome(echo.stub(channel, "Echo")(echo.request("x")))
    received = from_rpc_error(error)

    assert error.code() is grpc.StatusCode.INTERNAL
    assert "hunter2" not in str(error.details()) + str(error.trailing_metadata())
    logged = capsys.readouterr()
    assert received.metadata["error_id"] in logged.out + logged.err
    assert "hunter2" in logged.out + logged.err


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
