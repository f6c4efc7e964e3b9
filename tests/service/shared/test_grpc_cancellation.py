"""The facts of grpc.aio about cancelled work: what grpc does alone, and what our server makes of it."""

import asyncio
import threading

import grpc
import pytest

from shared.cancellation import CancellationToken
from shared.context import current_request
from shared.errors import ErrorReason
from shared.errors.rpc import from_rpc_error
from shared.server import Service
from tests.support import echo
from tests.support.outcomes import outcome
from tests.support.plain import plain_server


async def leak_cancellation(request, context):
    inner = asyncio.ensure_future(asyncio.sleep(60))
    inner.cancel()
    await inner


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
