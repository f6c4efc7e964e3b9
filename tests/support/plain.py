"""A grpc.aio server without anything of ours, to show what grpc does by itself."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc


@asynccontextmanager
async def plain_server(
    add_to: Callable[[grpc.aio.Server], None], interceptors: Sequence[Any] = ()
) -> AsyncIterator[Any]:
    """Serve on a free port; yields a channel that also has `server` and `port`."""
    server = grpc.aio.server(interceptors=interceptors)
    add_to(server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        channel.server, channel.port = server, port
        yield channel
    await server.stop(0)
