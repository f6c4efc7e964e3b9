"""The service config of channels: what is retried, and what is not."""

import json

import grpc
import pytest

from shared.channels import open_channel, service_config
from shared.context import TENANT_HEADER
from shared.errors import ErrorReason
from shared.errors.rpc import from_rpc_error
from shared.server import Service
from tests.support import echo


def configs(**timeouts_s):
    echo.message("EchoRequest")
    config = service_config([echo.SERVICE], timeouts_s)
    return {entry["name"][0]["method"]: entry for entry in config["methodConfig"]}


def test_unary_calls_have_a_timeout_and_streams_do_not():
    by_method = configs()

    assert by_method["Echo"]["timeout"] == "120s"
    assert "timeout" not in by_method["Watch"]
    assert configs(**{f"{echo.SERVICE}/Echo": 3.5})["Echo"]["timeout"] == "3.5s"


def test_only_unavailable_is_retried_and_only_where_a_repeat_is_safe():
    by_method = configs()

    assert by_method["Echo"]["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE"]
    assert "retryPolicy" in by_method["Watch"]
    assert "retryPolicy" not in by_method["CreateEcho"]  # its request has no request_id
    assert "retryPolicy" not in by_method["Upload"]
    assert "retryPolicy" not in by_method["Chat"]


ORCHESTRATOR = "likeness.orchestrator.v1.OrchestratorService"


def test_the_products_creates_are_retried_because_they_carry_a_request_id():
    config = service_config([ORCHESTRATOR], {})
    retried = {e["name"][0]["method"] for e in config["methodConfig"] if "retryPolicy" in e}

    assert {"CreatePortrait", "CreateIdentity", "GetPortrait", "WatchPortrait"} <= retried
    assert retried.isdisjoint({"UploadIdentity", "DeletePortrait", "CancelPortrait", "DeleteIdentity"})
    assert json.dumps(config)


def test_service_whose_stubs_are_not_installed_is_an_error():
    with pytest.raises(ImportError):
        service_config(["likeness.nowhere.v1.NowhereService"], {})


class Flaky:
    """Fails twice, then answers; counts."""

    def __init__(self, code):
        self.code = code
        self.calls = 0

    async def echo(self, request, context):
        self.calls += 1
        if self.calls < 3:
            await context.abort(self.code, "not now")
        return echo.response(request.text)


async def test_unavailable_is_retried_until_it_works(serve):
    flaky = Flaky(grpc.StatusCode.UNAVAILABLE)
    channel = await serve([Service(echo.SERVICE, echo.add_to(Echo=flaky.echo))])

    assert (await echo.stub(channel, "Echo")(echo.request("a"))).text == "a"
    assert flaky.calls == 3


@pytest.mark.parametrize(
    ("method", "code"),
    [("CreateEcho", grpc.StatusCode.UNAVAILABLE), ("Echo", grpc.StatusCode.INTERNAL)],
)
async def test_mutations_and_other_errors_are_not_retried(serve, method, code):
    flaky = Flaky(code)
    channel = await serve([Service(echo.SERVICE, echo.add_to(**{method: flaky.echo}))])
    with pytest.raises(grpc.aio.AioRpcError):
        await echo.stub(channel, method)(echo.request("a"))

    assert flaky.calls == 1


async def test_create_calls_get_a_request_id_and_the_callers_message_is_left_alone(serve):
    from likeness.orchestrator.v1 import orchestrator_pb2, orchestrator_pb2_grpc, resources_pb2

    seen = []

    class Orchestrator(orchestrator_pb2_grpc.OrchestratorServiceServicer):
        async def CreatePortrait(self, request, context):
            seen.append(request.request_id)
            return resources_pb2.Portrait()

    def add_to(server):
        orchestrator_pb2_grpc.add_OrchestratorServiceServicer_to_server(Orchestrator(), server)

    # Without interceptors: this is about the client; the rules of the message are not its subject.
    server = grpc.aio.server()
    add_to(server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    request = orchestrator_pb2.CreatePortraitRequest()
    async with open_channel(f"127.0.0.1:{port}", [ORCHESTRATOR]) as channel:
        stub = orchestrator_pb2_grpc.OrchestratorServiceStub(channel)
        await stub.CreatePortrait(request)
        await stub.CreatePortrait(orchestrator_pb2.CreatePortraitRequest(request_id="mine"))
    await server.stop(0)

    assert len(seen[0]) == 36
    assert seen[1] == "mine"
    assert request.request_id == ""


async def test_tenant_of_a_channel_goes_with_calls_outside_any_request(serve):
    from shared.context import current_request

    async def tenant(request, context):
        return echo.response(current_request().tenant)

    channel = await serve([Service(echo.SERVICE, echo.add_to(Echo=tenant))], tenant="acme")
    call = echo.stub(channel, "Echo")

    assert (await call(echo.request())).text == "acme"
    assert (await call(echo.request(), metadata=((TENANT_HEADER, "other"),))).text == "other"


async def test_nobody_listening_is_unreachable():
    echo.message("EchoRequest")
    async with open_channel("127.0.0.1:1", [echo.SERVICE]) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await echo.stub(channel, "CreateEcho")(echo.request("a"), timeout=5)

    assert from_rpc_error(caught.value).reason is ErrorReason.UNREACHABLE
