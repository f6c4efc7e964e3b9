"""Cancelling a portrait: at once within this process, within a second from another one."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from shared.cancellation import Cancelled

T = TypeVar("T")
Key = tuple[str, str]
# Another replica can only leave a note in the database; one read a second is what that costs.
_POLL_S = 1.0


class Cancels:
    """Which portraits of this process are to be cancelled."""

    def __init__(self, is_requested: Callable[[str, str], Awaitable[bool]]) -> None:
        """``is_requested(tenant, portrait_id)`` reads the note in the database."""
        self._is_requested = is_requested
        self._events: dict[Key, asyncio.Event] = {}

    def trip(self, key: Key) -> None:
        """Stop the work on a portrait, if this process does it."""
        if (event := self._events.get(key)) is not None:
            event.set()

    def is_tripped(self, key: Key) -> bool:
        """Return True where the work that is being stopped is stopped for good, not for a restart."""
        return (event := self._events.get(key)) is not None and event.is_set()

    async def guard(self, key: Key, work: Coroutine[Any, Any, T]) -> T:
        """Do the work unless, or until, the portrait is cancelled.

        Raises:
            Cancelled: The portrait was cancelled; the work has been stopped and has cleaned up.
        """
        event = self._events.setdefault(key, asyncio.Event())
        task = asyncio.create_task(work)
        watcher = asyncio.create_task(self._watch(key, event))
        try:
            await asyncio.wait({task, watcher}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            watcher.result()
            raise Cancelled()
        finally:
            for pending in (task, watcher):
                pending.cancel()
            await asyncio.gather(task, watcher, return_exceptions=True)
            self._events.pop(key, None)

    async def _watch(self, key: Key, event: asyncio.Event) -> None:
        while not await self._is_requested(*key):
            try:
                async with asyncio.timeout(_POLL_S):
                    await event.wait()
                    return
            except TimeoutError:
                continue
        event.set()
