"""Calls that many pictures share: what waits while one call runs goes together into the next."""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.diffusion.errors import Draining

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


@dataclass(eq=False)
class _Entry(Generic[ItemT, ResultT]):
    item: ItemT
    key: Hashable
    result: "asyncio.Future[ResultT]"


class Coalescer(Generic[ItemT, ResultT]):
    """Runs items of one key together, one call at a time, without a delay of its own.

    Promises: a call holds items of one key, at most what `max_items` says of the first of them; the item
    that waited longest is in the next call, so no key starves another and nobody waits for more calls than
    there are items before it; an item whose caller has gone is not run any more; a call that fails is
    repeated item by item, so that one item cannot fail others. Methods belong to one event loop, `call` runs
    in *executor*.
    """

    def __init__(
        self,
        call: Callable[[Sequence[ItemT]], Sequence[ResultT]],
        executor: Executor,
        *,
        max_items: Callable[[ItemT], int],
    ) -> None:
        self._call = call
        self._executor = executor
        self._max_items = max_items
        self._waiting: deque[_Entry[ItemT, ResultT]] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._is_closed = False

    @property
    def waiting_count(self) -> int:
        """Items that are in no call yet."""
        return len(self._waiting)

    async def submit(self, item: ItemT, key: Hashable = None) -> ResultT:
        """The result of *item*.

        Raises: what the call raises for this item alone; Draining after `close`.
        """
        if self._is_closed:
            raise Draining()
        entry = _Entry[ItemT, ResultT](item, key, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return await entry.result

    async def close(self) -> None:
        """Fail what waits as draining, after the call that runs. Idempotent."""
        self._is_closed = True
        while self._waiting:
            entry = self._waiting.popleft()
            if not entry.result.done():
                entry.result.set_exception(Draining())
        if self._worker is not None:
            await self._worker

    async def _work(self) -> None:
        try:
            while self._waiting:
                # One turn of the loop: what arrives at the same moment shares the call.
                await asyncio.sleep(0)
                if batch := self._next_batch():
                    await self._run(batch)
        finally:
            self._worker = None

    def _next_batch(self) -> list[_Entry[ItemT, ResultT]]:
        batch: list[_Entry[ItemT, ResultT]] = []
        left: deque[_Entry[ItemT, ResultT]] = deque()
        room = 1
        for entry in self._waiting:
            if entry.result.done():  # its caller was cancelled
                continue
            if not batch:
                room = self._max_items(entry.item)
            is_fitting = not batch or (entry.key == batch[0].key and len(batch) < room)
            (batch if is_fitting else left).append(entry)
        self._waiting = left
        return batch

    async def _run(self, batch: Sequence[_Entry[ItemT, ResultT]]) -> None:
        loop = asyncio.get_running_loop()
        try:
            results = await loop.run_in_executor(self._executor, self._results, [e.item for e in batch])
        except Exception as error:  # the executor itself, for example at shutdown
            results = [error] * len(batch)
        for entry, result in zip(batch, results, strict=True):
            if entry.result.done():
                continue
            if isinstance(result, Exception):
                entry.result.set_exception(result)
            else:
                entry.result.set_result(result)

    def _results(self, items: Sequence[ItemT]) -> list[ResultT | Exception]:
        try:
            results = list(self._call(items))
            if len(results) != len(items):
                raise RuntimeError(f"{len(results)} results for {len(items)} items")
            return list(results)
        except Exception as error:
            if len(items) == 1:
                return [error]
        return [result for item in items for result in self._results([item])]
