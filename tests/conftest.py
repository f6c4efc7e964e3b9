"""Fixtures for all tests."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import grpc
import pytest
from hypothesis import settings

from shared.channels import open_channel
from shared.server import LikenessServer, Service
from shared.settings import ServerSettings
from shared.threads import apply_thread_defaults

# Before any test module can load torch or onnxruntime: two cores are shared by everything here.
apply_thread_defaults()
# And before any of them fixes its settings: property tests judge results, not speed, and a busy machine
# would fail them by hypothesis' 200 ms.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

Serve = Callable[..., Awaitable[grpc.aio.Channel]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serve services in this process, over the real transport and with all interceptors.

    `channel = await serve([service])` starts a server on a free port of 127.0.0.1, warms it up and opens a
    channel with the product's service config; `is_warm=False` leaves it cold, `settings` and `tenant` are
    passed on. `serve.servers` holds the servers, newest last. All end with the test.
    """
    servers: list[LikenessServer] = []
    channels: list[grpc.aio.Channel] = []

    async def start(
        services: Sequence[Service],
        *,
        is_warm: bool = True,
        settings: ServerSettings | None = None,
        tenant: str | None = None,
    ) -> grpc.aio.Channel:
        server = LikenessServer(services, settings or ServerSettings())
        servers.append(server)
        port = await server.start()
        if is_warm:
            await server.warm_up()
        channel = open_channel(f"127.0.0.1:{port}", [service.name for service in services], tenant=tenant)
        channels.append(channel)
        return channel

    start.servers = servers  # type: ignore[attr-defined]
    yield start
    for channel in channels:
        await channel.close()
    for server in reversed(servers):
        await server.stop(grace_s=0)
