"""The facts of grpc.aio about interceptors and failing handlers: what grpc does alone, and our server."""

import grpc

from shared.errors.rpc import from_rpc_error
from shared.server import Service
from tests.support import echo
from tests.support.handlers import ok
from tests.support.outcomes import outcome
from tests.support.plain import plain_server


async def fail_with_a_secret(request, context):
    raise ValueError("password=hunter2")


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
