"""Each call is counted, timed and logged."""

import asyncio

from shared.context import REQUEST_ID_HEADER, TENANT_HEADER
from shared.telemetry.metrics import REGISTRY
from tests.support import echo
from tests.support.gated_unet import until
from tests.support.handlers import NoFaceFound, Slow, echo_service, ok
from tests.support.outcomes import failure


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
