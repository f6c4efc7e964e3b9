"""A pipeline behind a queue, as a simple server has it: one thread, batches of requests that are alike."""

import asyncio
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from loadtests.engine.diffusers_pipeline import DiffusersPipeline
from loadtests.engine.load import Timeline
from loadtests.engine.static_batches import take_batch
from loadtests.traffic import LoadRequest


@dataclass(eq=False)
class _Entry:
    request: LoadRequest
    timeline: Timeline
    done: Future[Any] = field(default_factory=Future)


class DiffusersServer:
    """Serves from one worker thread; `batch_sizes` has the pictures of each pipeline call."""

    def __init__(self, pipeline: DiffusersPipeline, max_batch: int) -> None:
        self._pipeline = pipeline
        self._max_batch = max_batch
        self._waiting: list[_Entry] = []
        self._changed = threading.Condition()
        self._is_closed = False
        self.batch_sizes: list[int] = []
        self._worker = threading.Thread(target=self._work, name="diffusers", daemon=True)
        self._worker.start()

    async def serve(self, request: LoadRequest, timeline: Timeline) -> None:
        """See System."""
        entry = _Entry(request, timeline)
        with self._changed:
            self._waiting.append(entry)
            self._changed.notify()
        await asyncio.wrap_future(entry.done)

    def close(self) -> None:
        """Ends the thread after the call in flight."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._worker.join()

    def _work(self) -> None:
        while (batch := self._next()) is not None:
            self.batch_sizes.append(len(batch))
            try:
                requests = [entry.request for entry in batch]
                pictures = self._pipeline.make(requests, partial(_step_done, batch))
            except Exception as error:
                for entry in batch:
                    entry.done.set_exception(error)
                continue
            for entry, picture in zip(batch, pictures, strict=True):
                entry.done.set_result(picture)

    def _next(self) -> list[_Entry] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self._waiting)
            if self._is_closed:
                return None
            return take_batch(self._waiting, [entry.request for entry in self._waiting], self._max_batch)


def _step_done(batch: list[_Entry]) -> None:
    for entry in batch:
        entry.timeline.step_done()
