"""The workers: as many analyzers as threads, each used by one thread at a time."""

import asyncio
import queue
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import numpy as np

from services.face_analysis.domain.backend import BackendInfo
from services.face_analysis.domain.findings import FaceFeature
from services.face_analysis.engine.analyzer import FaceAnalyzer
from shared.cancellation import CancellationToken
from shared.errors.common import NotWarm, QueueFull
from shared.telemetry import queue_depth

R = TypeVar("R")

# What a client is told to wait per image in the queue before it tries again.
_SECONDS_PER_WAITING_IMAGE = 0.2


class AnalyzerPool:
    """Runs work on analyzers off the event loop and refuses calls when too many images wait.

    dlib's objects are not safe to share between threads, so every worker has its own.
    """

    def __init__(self, factory: Callable[[], FaceAnalyzer], *, workers: int, max_waiting: int) -> None:
        self._factory = factory
        self._workers = workers
        self._max_waiting = max_waiting
        self._idle: queue.SimpleQueue[FaceAnalyzer] = queue.SimpleQueue()
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="face-analysis")
        self._admitted = 0
        self._info: BackendInfo | None = None
        self._features: frozenset[FaceFeature] = frozenset()
        self._depth = queue_depth("face_analysis.images")

    @property
    def workers(self) -> int:
        """How many images are analysed at a time."""
        return self._workers

    @property
    def info(self) -> BackendInfo:
        """The constants of the backend. Raises NotWarm before `warm_up` has finished."""
        if self._info is None:
            raise NotWarm(service="face_analysis")
        return self._info

    @property
    def features(self) -> frozenset[FaceFeature]:
        """What can be asked for; empty before `warm_up` has finished."""
        return self._features

    async def warm_up(self) -> None:
        """Build every analyzer and run each once. Raises ModelMissing for an absent weight."""
        blank = np.zeros((128, 128, 3), np.uint8)
        loop = asyncio.get_running_loop()
        for _ in range(self._workers):
            analyzer = await loop.run_in_executor(self._executor, self._factory)
            await loop.run_in_executor(self._executor, analyzer.analyze, blank)
            self._idle.put(analyzer)
            info, self._features = analyzer.info, analyzer.features
        self._info = info

    @contextmanager
    def admission(self, count: int) -> Iterator[None]:
        """Count `count` images as waiting. Raises QueueFull when they exceed the limit with those before."""
        if self._admitted and self._admitted + count > self._max_waiting:
            delay_s = self._admitted * _SECONDS_PER_WAITING_IMAGE / self._workers
            raise QueueFull(queue="face_analysis", limit=self._max_waiting, retry_after_s=delay_s)
        self._admit(count)
        try:
            yield
        finally:
            self._admit(-count)

    def _admit(self, count: int) -> None:
        self._admitted += count
        self._depth.set(self._admitted)

    async def run(self, work: Callable[[FaceAnalyzer], R], token: CancellationToken) -> R:
        """Run `work` on an idle analyzer in a worker thread.

        Raises Cancelled when the token was cancelled before the work began; work polls the token itself
        from then on. Work that has not begun when the task is cancelled never begins. Raises NotWarm before
        `warm_up` has finished.
        """
        if self._info is None:
            raise NotWarm(service="face_analysis")

        def task() -> R:
            token.raise_if_cancelled()
            analyzer = self._idle.get()
            try:
                return work(analyzer)
            finally:
                self._idle.put(analyzer)

        return await asyncio.get_running_loop().run_in_executor(self._executor, task)

    def close(self) -> None:
        """Drop the work that waits and let that which runs finish."""
        self._executor.shutdown(wait=True, cancel_futures=True)
