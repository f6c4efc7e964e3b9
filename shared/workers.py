"""Threads for the image work, so that the event loop stays free."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from shared.cancellation import CancellationToken

T = TypeVar("T")


class Workers:
    """A few threads. OpenCV and ONNX Runtime release the interpreter lock, so they do run side by side."""

    def __init__(self, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="workers")

    async def run(self, work: Callable[[], T], token: CancellationToken) -> T:
        """The result of *work*, which is not begun if *token* is cancelled by the time a thread is free.

        Raises:
            Cancelled: the token was cancelled before *work* began.
        """

        def guarded() -> T:
            token.raise_if_cancelled()
            return work()

        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._pool, context.run, guarded)

    def close(self) -> None:
        """Drop the waiting work and wait for the running."""
        self._pool.shutdown(wait=True, cancel_futures=True)
