"""Tenant, request id and deadline, from the client to the service behind us."""

import asyncio
import time

import grpc
import pytest

from shared.context import REQUEST_ID_HEADER, TENANT_HEADER, current_request
from shared.errors import ErrorReason
from shared.server import ServiceLimits
from tests.support import echo
from tests.support.gated_unet import until
from tests.support.handlers import echo_service, ok
from tests.support.outcomes import failure

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
