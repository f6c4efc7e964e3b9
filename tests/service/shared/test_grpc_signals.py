"""The facts of grpc.aio about signals, and what our bootstrap makes of them."""

import asyncio
import json
import signal
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from shared.channels import open_channel
from tests.support import echo

REPOSITORY = Path(__file__).parents[3]


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
