"""How many calls of one service run and wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.errors.common import QueueFull
from shared.server.service import ServiceLimits
from shared.telemetry.metrics import queue_depth

# Weight of the newest call in the running mean that the retry delay is estimated from.
_NEWEST = 0.2
_MIN_RETRY_S = 0.1


class Gate:
    """The admission state of one service. For one event loop.

    Attributes:
        limits: The service's limits.
        is_warm: Whether its warm-up is through.
    """

    def __init__(self, name: str, limits: ServiceLimits) -> None:
        self.name = name
        self.limits = limits
        self.is_warm = False
        self._slots = asyncio.Semaphore(limits.max_concurrent_rpcs)
        self._waiting = 0
        self._streams = 0
        self._mean_call_s = 1.0
        self._depth = queue_depth(name)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold one slot of `max_concurrent_rpcs`, after waiting for it if need be.

        Raises:
            QueueFull: Too many calls wait already.
        """
        await self._acquire()
        start = asyncio.get_running_loop().time()
        try:
            yield
        finally:
            self._slots.release()
            wall_s = asyncio.get_running_loop().time() - start
            self._mean_call_s += _NEWEST * (wall_s - self._mean_call_s)

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[None]:
        """Hold one of `max_streams`; never waits.

        Raises:
            QueueFull: All are taken.
        """
        if self._streams >= self.limits.max_streams:
            raise QueueFull(queue=f"{self.name} streams", limit=self.limits.max_streams, retry_after_s=1.0)
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1

    async def _acquire(self) -> None:
        if self._slots.locked() and self._waiting >= self.limits.max_queued_rpcs:
            retry_after_s = self._mean_call_s * (self._waiting + 1) / self.limits.max_concurrent_rpcs
            raise QueueFull(
                queue=self.name,
                limit=self.limits.max_queued_rpcs,
                retry_after_s=max(_MIN_RETRY_S, retry_after_s),
            )
        self._waiting += 1
        self._depth.set(self._waiting)
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
            self._depth.set(self._waiting)
