"""What a server opens, it closes, in order; what it serves can be listed."""

import asyncio

from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from shared.channels import open_channel
from shared.server import Service
from tests.support import echo
from tests.support.handlers import echo_service, ok, stream_of


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
