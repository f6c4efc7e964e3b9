"""What tests of the transport serve: an echo service with handlers that answer, fail or wait."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc

from shared.errors import ErrorReason, LikenessError
from shared.server import Service, ServiceLimits
from tests.support import echo


def echo_service(*, limits: ServiceLimits | None = None, **handlers: Callable[..., Any]) -> Service:
    """The echo service with these handlers, by method."""
    return Service(echo.SERVICE, echo.add_to(**handlers), limits=limits or ServiceLimits())


async def ok(request: Any, context: grpc.aio.ServicerContext) -> Any:
    """Answers what it was asked."""
    return echo.response(request.text)


class NoFaceFound(LikenessError):
    """An error with a reason and parameters, for handlers that fail."""

    reason = ErrorReason.NO_FACE_FOUND


class Slow:
    """A handler that holds its slot until released."""

    def __init__(self) -> None:
        self.running = 0
        self.most = 0
        self.release = asyncio.Event()

    async def echo(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        """Waits for the release, and counts how many do so at once."""
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.release.wait()
        finally:
            self.running -= 1
        return echo.response(request.text)

    async def until(self, running: int) -> None:
        """Returns when so many wait."""
        while self.running != running:
            await asyncio.sleep(0.005)


async def stream_of(*requests: Any) -> AsyncIterator[Any]:
    """What a client streams."""
    for request in requests:
        yield request
