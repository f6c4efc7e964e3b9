"""The loop of one model: join, pack, predict, advance; progress out, cancelled rows gone at the next step."""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.diffusion.domain.events import Decoded, Progress, Queued
from services.diffusion.domain.model import Model
from services.diffusion.domain.programs import DenoisingProgram
from services.diffusion.domain.rows import RowBatch
from services.diffusion.engine.batcher import BatcherFull, RowBatcher, RowRef, Ticket
from services.diffusion.engine.run import Run
from services.diffusion.errors import Draining, QueueFull
from shared.cancellation import CancellationToken, Cancelled
from shared.telemetry import get_logger, queue_depth, stage

Array = NDArray[np.float32]
Image = NDArray[np.uint8]
_RETRY_BOUNDS_S = (0.5, 60.0)

_log = get_logger(__name__)


@dataclass(frozen=True)
class BatchLimits:
    """`max_rows` share a UNet call, `max_active` pictures take turns, `max_waiting` more stand in line."""

    max_rows: int
    max_active: int
    max_waiting: int


@dataclass(frozen=True)
class Threads:
    """One thread each: UNet calls with program steps, decoding, text encoding. None waits for another."""

    unet: ThreadPoolExecutor
    decode: ThreadPoolExecutor
    prepare: ThreadPoolExecutor


_Outcome = tuple[Ticket[Run], list[Progress] | Exception]


class Denoiser:
    """Runs the programs of one model. Methods belong to the event loop that called `start`."""

    def __init__(self, model: Model, limits: BatchLimits, threads: Threads) -> None:
        self._name = model.info.name
        self._unet = model.unet
        self._codec = model.codec
        self._limits = limits
        self._threads = threads
        self._batcher = RowBatcher[Run](
            max_rows=limits.max_rows, max_active=limits.max_active, max_waiting=limits.max_waiting
        )
        self._work = asyncio.Event()
        self._loop_task: asyncio.Task[None] | None = None
        self._batch_s = 0.1  # moving average of a UNet call, for the retry delay
        self._is_closed = False

    @property
    def depth(self) -> tuple[int, int]:
        """Pictures (taking turns, in line)."""
        return len(self._batcher.active), len(self._batcher.waiting)

    def start(self) -> None:
        """Begin to work; call once, inside the event loop."""
        self._loop_task = asyncio.create_task(self._loop())

    async def close(self) -> None:
        """Stop after the UNet call in flight; pictures that are not finished fail with DRAINING."""
        self._is_closed = True
        self._work.set()
        if self._loop_task is not None:
            await self._loop_task
        for ticket in self._batcher.active + self._batcher.waiting:
            self._fail(ticket, Draining())

    async def run(
        self, program: DenoisingProgram, token: CancellationToken, preview_interval: int = 0
    ) -> AsyncGenerator[Progress | Decoded]:
        """Drive *program* to its picture; the last event is Decoded.

        Closing the iterator or cancelling *token* frees the rows before the next UNet call.

        Raises:
            QueueFull: With the delay after which a place is expected.
            Cancelled: The token was cancelled.
            Draining: The engine is stopping.
        """
        if self._is_closed:
            raise Draining()
        token.raise_if_cancelled()
        run = Run(program, next(program), preview_interval, token)
        ticket = self._join(run)
        loop = asyncio.get_running_loop()

        def stop() -> None:
            loop.call_soon_threadsafe(self._fail, ticket, Cancelled())

        forget = token.on_cancel(stop)
        try:
            while (event := await run.events.get()) is not None:
                if isinstance(event, Exception):
                    raise event
                yield event
            yield await self._decode(run)
        finally:
            forget()
            self._leave(ticket)

    def _join(self, run: Run) -> Ticket[Run]:
        try:
            ticket = self._batcher.join(run, run.step.rows)
        except BatcherFull:
            limit = self._limits.max_waiting
            raise QueueFull(
                queue=f"The model {self._name}", limit=limit, retry_after_s=self._retry_after_s()
            ) from None
        run.ahead_count = max(0, len(self._batcher.waiting) - 1)
        queue_depth(f"diffusion.{self._name}").set(len(self._batcher.waiting))
        run.events.put_nowait(Queued(run.ahead_count))
        self._work.set()
        return ticket

    def _leave(self, ticket: Ticket[Run]) -> None:
        self._batcher.leave(ticket)
        queue_depth(f"diffusion.{self._name}").set(len(self._batcher.waiting))
        for position, waiting in enumerate(self._batcher.waiting):
            if waiting.owner.ahead_count != position:
                waiting.owner.ahead_count = position
                waiting.owner.events.put_nowait(Queued(position))

    def _fail(self, ticket: Ticket[Run], error: Exception) -> None:
        ticket.owner.events.put_nowait(error)
        self._leave(ticket)

    def _retry_after_s(self) -> float:
        """Time until the first of the active pictures should be done, if all share the batches evenly."""
        steps = [ticket.owner.step for ticket in self._batcher.active]
        batches_per_turn = math.ceil(sum(len(step.rows) for step in steps) / self._limits.max_rows)
        fewest_turns = min((step.step_count - step.done_count for step in steps), default=1)
        shortest_s, longest_s = _RETRY_BOUNDS_S
        return min(max(fewest_turns * batches_per_turn * self._batch_s, shortest_s), longest_s)

    async def _loop(self) -> None:
        while not self._is_closed:
            # A thread may have cancelled a token whose callback this event loop has not run yet.
            for ticket in self._batcher.active:
                if ticket.owner.token.cancelled:
                    self._fail(ticket, Cancelled())
            batch = self._batcher.next_batch()
            if not batch:
                self._work.clear()
                await self._work.wait()
                continue
            try:
                await self._turn(batch)
            except Exception as error:  # a defect of ours: its callers hear of it and the loop goes on
                for ticket in {ref.ticket for ref in batch}:
                    self._settle(ticket, error)

    async def _turn(self, batch: Sequence[RowRef[Run]]) -> None:
        """One UNet call and what follows from it."""
        loop = asyncio.get_running_loop()
        began_s = time.monotonic()
        for ref in batch:
            ref.ticket.owner.started_s = ref.ticket.owner.started_s or began_s
        results = await loop.run_in_executor(self._threads.unet, self._predict, batch)
        arrived: list[tuple[RowRef[Run], Array]] = []
        for ref, result in zip(batch, results, strict=True):
            if isinstance(result, Exception):
                self._settle(ref.ticket, result)
            else:
                arrived.append((ref, result))
        complete = self._batcher.deliver([ref for ref, _ in arrived], [array for _, array in arrived])
        outcomes = await loop.run_in_executor(self._threads.unet, self._advance, complete, len(batch))
        for ticket, outcome in outcomes:
            self._settle(ticket, outcome)
        self._batch_s += 0.2 * (time.monotonic() - began_s - self._batch_s)

    def _predict(self, batch: Sequence[RowRef[Run]]) -> Sequence[Array | Exception]:
        """One result per row. If a mixed batch fails, each picture is tried alone: one cannot fail others."""
        try:
            with stage("diffusion", "unet"):
                return list(self._unet.predict(RowBatch.of([ref.row for ref in batch])))
        except Exception as error:
            tickets = dict.fromkeys(ref.ticket for ref in batch)
            if len(tickets) == 1:
                return [error] * len(batch)
        alone = {ticket: iter(self._predict([r for r in batch if r.ticket is ticket])) for ticket in tickets}
        return [next(alone[ref.ticket]) for ref in batch]

    def _advance(self, complete: Sequence[Ticket[Run]], batch_rows: int) -> list[_Outcome]:
        outcomes: list[_Outcome] = []
        for ticket in complete:
            try:
                happened = ticket.owner.advance(ticket.take_predictions(), batch_rows, self._codec)
                outcomes.append((ticket, happened))
            except Exception as error:  # this picture's own failure; the others go on
                outcomes.append((ticket, error))
        return outcomes

    def _settle(self, ticket: Ticket[Run], outcome: list[Progress] | Exception) -> None:
        run = ticket.owner
        if isinstance(outcome, Exception):
            _log.error("denoise.failed", error=repr(outcome))
            self._fail(ticket, outcome)
            return
        for event in outcome:
            run.events.put_nowait(event)
        if run.latents is None:
            ticket.begin_step(run.step.rows)
        else:
            self._leave(ticket)
            run.events.put_nowait(None)

    async def _decode(self, run: Run) -> Decoded:
        denoised_s = time.monotonic()
        loop = asyncio.get_running_loop()
        image = await loop.run_in_executor(self._threads.decode, self._decode_blocking, run)
        run.token.raise_if_cancelled()
        return Decoded(
            image,
            queue_time_s=run.started_s - run.joined_s,
            denoise_time_s=denoised_s - run.started_s,
            decode_time_s=time.monotonic() - denoised_s,
        )

    def _decode_blocking(self, run: Run) -> Image:
        if run.latents is None:
            raise RuntimeError("decoding before the last step")
        with stage("diffusion", "decode"):
            return self._codec.decode(run.latents)
