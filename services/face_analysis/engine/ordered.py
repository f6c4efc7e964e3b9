"""Ordered, bounded concurrency over an asynchronous sequence."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def map_ordered(
    items: AsyncIterable[T], work: Callable[[T], Awaitable[R]], window: int
) -> AsyncIterator[R]:
    """Yield `work(item)` for every item, in the items' order, with at most `window` taken and not answered.

    An item is taken from the source only when the window has room, and it leaves the window when its result
    was taken by the consumer: a slow consumer stops the source. A result is handed on as soon as it and
    those before it are there, also while the source is silent. The first failure ends the sequence; work in
    flight is cancelled whenever the sequence ends.
    """
    room = asyncio.Semaphore(window)
    queue: asyncio.Queue[asyncio.Task[R] | None] = asyncio.Queue()
    running: set[asyncio.Task[R]] = set()

    async def feed() -> None:
        source = aiter(items)
        try:
            while True:
                await room.acquire()
                task = asyncio.ensure_future(_call(work, await anext(source)))
                running.add(task)
                queue.put_nowait(task)
        except StopAsyncIteration:
            pass
        finally:
            queue.put_nowait(None)

    feeder = asyncio.create_task(feed())
    try:
        while (task := await queue.get()) is not None:
            result = await task
            running.discard(task)
            yield result
            room.release()
        await feeder
    finally:
        feeder.cancel()
        for task in running:
            task.cancel()
        await asyncio.gather(feeder, *running, return_exceptions=True)


async def _call(work: Callable[[T], Awaitable[R]], item: T) -> R:
    return await work(item)
