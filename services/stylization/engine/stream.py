"""Use case: frames in, drawn frames out; ordered, bounded, and no frame ends the stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from shared.errors import LikenessError
from shared.errors.common import FieldInvalid

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True, slots=True)
class Failed:
    """What a frame has instead of a result."""

    error: LikenessError


class RisingSequence:
    """Checks that the numbers of a stream's frames rise."""

    def __init__(self) -> None:
        self._last = -1

    def check(self, sequence: int) -> None:
        """Take the next number.

        Raises:
            FieldInvalid: it is not above every one before; the largest so far stays what it was.
        """
        if sequence <= self._last:
            raise FieldInvalid(field="sequence", problem=f"{sequence} comes after {self._last}")
        self._last = sequence


async def in_order(
    frames: AsyncIterator[In], work: Callable[[In], Coroutine[Any, Any, Out]], *, ahead: int
) -> AsyncGenerator[tuple[In, Out | Failed], None]:
    """Run *work* on each frame and yield the results in the order of the frames.

    At most *ahead* + 2 frames are in work or waiting to be taken; then nothing more is read from *frames*,
    so that a slow reader holds back a fast sender. A `LikenessError` of one frame is its result; any other
    error ends the iteration. Leaving it (`aclose`) cancels what is in work.
    """
    queue: asyncio.Queue[tuple[In, asyncio.Task[Out]] | Exception | None] = asyncio.Queue(maxsize=ahead)
    started: set[asyncio.Task[Out]] = set()

    async def read() -> None:
        failure: Exception | None = None
        try:
            async for frame in frames:
                task = asyncio.create_task(work(frame))
                started.add(task)
                await queue.put((frame, task))
        except Exception as error:
            # Passed on through the queue: the results before it are still to be yielded.
            failure = error
        await queue.put(failure)

    reader = asyncio.create_task(read())
    try:
        while isinstance(item := await queue.get(), tuple):
            frame, task = item
            try:
                result: Out | Failed = await task
            except LikenessError as error:
                result = Failed(error)
            started.discard(task)
            yield frame, result
        if item is not None:
            raise item
    finally:
        reader.cancel()
        for task in started:
            task.cancel()
        await asyncio.gather(reader, *started, return_exceptions=True)
