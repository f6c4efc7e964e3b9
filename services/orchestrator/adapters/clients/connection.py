"""One way to call another service: tenant, deadline, typed errors, patience with a full queue."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc

from services.orchestrator.domain.ports import Caller
from shared.context import TENANT_HEADER
from shared.errors import ErrorReason, LikenessError
from shared.errors.rpc import from_rpc_error

# The state of the other service, not of the request: the same call may succeed a moment later.
_PASSING = frozenset(
    {ErrorReason.QUEUE_FULL, ErrorReason.NOT_WARM, ErrorReason.DRAINING, ErrorReason.UNREACHABLE}
)
OpenChannel = Callable[[], grpc.aio.Channel]
_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 5.0


class Connection:
    """Calls to one service.

    A call that meets a full queue or a service that is starting or draining is made again, after the delay
    that the service names or a doubling one, until ``patience_s`` have passed; then its error is raised.
    """

    def __init__(
        self,
        open_channel: OpenChannel,
        stub: Callable[[grpc.aio.Channel], Any],
        patience_s: float = 60.0,
    ) -> None:
        """``open_channel`` is called by the first call: a channel belongs to the event loop that opens it."""
        self._open_channel = open_channel
        self._new_stub = stub
        self._patience_s = patience_s
        self._stub: Any = None

    async def unary(self, rpc: str, request: Any, caller: Caller, limit_s: float) -> Any:
        """Make a unary call; ``limit_s`` bounds each attempt beyond the caller's own limit."""
        method = self._method(rpc)
        async for delay_s in self._attempts():
            try:
                return await method(request, timeout=_timeout(caller, limit_s), metadata=_metadata(caller))
            except grpc.aio.AioRpcError as error:
                await _sleep_or_raise(from_rpc_error(error), delay_s)
        raise AssertionError("attempts end by raising")

    async def stream(
        self, rpc: str, request: Callable[[], Any], caller: Caller, limit_s: float | None
    ) -> AsyncIterator[Any]:
        """Yield the messages of a server stream; a new attempt begins a new stream with a new request.

        Closing the iterator cancels the call.
        """
        method = self._method(rpc)
        async for delay_s in self._attempts():
            call = method(request(), timeout=_timeout(caller, limit_s), metadata=_metadata(caller))
            try:
                async for message in call:
                    yield message
                return
            except grpc.aio.AioRpcError as error:
                await _sleep_or_raise(from_rpc_error(error), delay_s)
            finally:
                call.cancel()

    def _method(self, rpc: str) -> Any:
        if self._stub is None:
            self._stub = self._new_stub(self._open_channel())
        return getattr(self._stub, rpc)

    async def _attempts(self) -> AsyncIterator[float | None]:
        """Yield the delay to use if the attempt fails; None for the last one."""
        until = time.monotonic() + self._patience_s
        delay_s = _FIRST_DELAY_S
        while time.monotonic() + delay_s < until:
            yield delay_s
            delay_s = min(2 * delay_s, _LONGEST_DELAY_S)
        yield None


async def _sleep_or_raise(error: LikenessError, delay_s: float | None) -> None:
    if delay_s is None or error.reason not in _PASSING:
        raise error
    await asyncio.sleep(error.retry_after_s or delay_s)


def _timeout(caller: Caller, limit_s: float | None) -> float | None:
    limits = [limit for limit in (caller.timeout_s, limit_s) if limit is not None]
    return min(limits) if limits else None


def _metadata(caller: Caller) -> tuple[tuple[str, str], ...]:
    return ((TENANT_HEADER, caller.tenant),)
