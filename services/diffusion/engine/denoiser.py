"""The loop of one model: join, pack, predict, advance; progress out, cancelled rows gone at the next step."""

import asyncio
import time
from collections.abc import AsyncGenerator, Coroutine

from services.diffusion.domain.events import Decoded, Progress
from services.diffusion.domain.model import Model
from services.diffusion.domain.programs import DenoisingProgram
from services.diffusion.engine.batcher import Ticket
from services.diffusion.engine.codec import SharedCodec
from services.diffusion.engine.late import LateAdapters
from services.diffusion.engine.limits import BatchLimits, Threads
from services.diffusion.engine.line import Line
from services.diffusion.engine.run import Run
from services.diffusion.engine.turns import Turns
from services.diffusion.errors import Draining
from shared.cancellation import CancellationToken, Cancelled
from shared.telemetry import get_logger, stage

__all__ = ["BatchLimits", "Denoiser", "Threads"]

_log = get_logger(__name__)


class Denoiser:
    """Runs the programs of one model. Methods belong to the event loop that called `start`."""

    def __init__(self, model: Model, limits: BatchLimits, threads: Threads) -> None:
        self._model = model
        self._threads = threads
        self._line = Line(model.info.name, limits)
        self._batcher = self._line.batcher
        self._turns = Turns(model, self._batcher, threads)
        self.codec = SharedCodec(model.info.name, model.codec, threads.decode, limits.max_images)
        self._work = asyncio.Event()
        self._loop_task: asyncio.Task[None] | None = None
        # What pictures do off the loop; meanwhile they keep their place and have no rows.
        self._searches: set[asyncio.Task[None]] = set()
        self._waits: set[asyncio.Task[None]] = set()
        self._is_closed = False

    @property
    def depth(self) -> tuple[int, int]:
        """Pictures (taking turns, in line)."""
        return len(self._batcher.active), len(self._batcher.waiting)

    def check_room(self) -> None:
        """Refuse what `run` would refuse, before anything is prepared. Raises: QueueFull, Draining."""
        if self._is_closed:
            raise Draining()
        self._line.check_room(self._turns.mean_s)

    def start(self) -> None:
        """Begin to work; call once, inside the event loop."""
        self._loop_task = asyncio.create_task(self._loop())

    async def close(self) -> None:
        """Stop after the UNet call in flight; pictures that are not finished fail with DRAINING."""
        self._is_closed = True
        self._work.set()
        if self._loop_task is not None:
            await self._loop_task
        self._line.fail_all(Draining())
        for wait in self._waits:
            wait.cancel()
        await asyncio.gather(*self._searches, *self._waits, return_exceptions=True)
        await self.codec.close()

    async def run(
        self,
        program: DenoisingProgram,
        token: CancellationToken,
        preview_interval: int = 0,
        late: LateAdapters | None = None,
    ) -> AsyncGenerator[Progress | Decoded]:
        """Drive *program* to its picture; the last event is Decoded.

        Closing the iterator or cancelling *token* frees the rows before the next UNet call. Adapters that
        come *late* take part from the first step on that begins after their arrival.

        Raises:
            QueueFull: With the delay after which a place is expected.
            Cancelled: The token was cancelled.
            Draining: The engine is stopping.
        """
        if self._is_closed:
            raise Draining()
        token.raise_if_cancelled()
        run = Run.start(program, preview_interval, token, late)
        ticket = self._line.join(run, self._turns.mean_s)
        self._work.set()
        loop = asyncio.get_running_loop()

        def stop() -> None:
            loop.call_soon_threadsafe(self._line.fail, ticket, Cancelled())

        forget = token.on_cancel(stop)
        try:
            while (event := await run.events.get()) is not None:
                if isinstance(event, Exception):
                    raise event
                yield event
            yield await self._decode(run)
        finally:
            forget()
            self._line.leave(ticket)

    async def _loop(self) -> None:
        while not self._is_closed:
            self._look_around()
            batch = self._batcher.next_batch()
            if not batch:
                self._work.clear()
                await self._work.wait()
                continue
            try:
                for ticket, outcome in await self._turns.take(batch):
                    self._settle(ticket, outcome)
            except Exception as error:  # a defect of ours: its callers hear of it and the loop goes on
                for ticket in {ref.ticket for ref in batch}:
                    self._settle(ticket, error)

    def _look_around(self) -> None:
        """What happened since the last batch: cancellations, adapters that came late."""
        for ticket in self._batcher.active:
            run = ticket.owner
            # A thread may have cancelled a token whose callback this event loop has not run yet.
            if run.token.cancelled:
                self._line.fail(ticket, Cancelled())
            # Before its first row is evaluated; a step whose rows are split over two calls stays as it began.
            elif run.late is not None and ticket.rows and not ticket.predictions:
                self._begin_step(ticket)

    def _settle(self, ticket: Ticket[Run], outcome: list[Progress] | Exception) -> None:
        run = ticket.owner
        if isinstance(outcome, Exception):
            _log.error("denoise.failed", error=repr(outcome))
            self._line.fail(ticket, outcome)
            return
        for event in outcome:
            run.events.put_nowait(event)
        if run.latents is not None:
            self._line.leave(ticket)
            run.events.put_nowait(None)
        elif run.wanted_region is not None:
            _pause(self._search(ticket), self._searches)
        elif run.late is not None and run.late.must_wait(run.step.done_count):
            _pause(self._await_adapters(ticket, run.late), self._waits)
        else:
            self._begin_step(ticket)

    def _begin_step(self, ticket: Ticket[Run]) -> None:
        try:
            ticket.begin_step(ticket.owner.rows())
        except Exception as error:  # its late adapters could not be loaded
            self._line.fail(ticket, error)

    async def _await_adapters(self, ticket: Ticket[Run], late: LateAdapters) -> None:
        await asyncio.wait([late.arrival])
        self._begin_step(ticket)
        self._work.set()

    async def _search(self, ticket: Ticket[Run]) -> None:
        """Answer a FindRegion."""
        loop = asyncio.get_running_loop()
        try:
            outcome: list[Progress] | Exception = await loop.run_in_executor(
                self._threads.decode, self._search_blocking, ticket.owner
            )
        except Cancelled as cancelled:
            return self._line.fail(ticket, cancelled)
        except Exception as error:  # this picture's own failure
            outcome = error
        self._settle(ticket, outcome)
        self._work.set()

    def _search_blocking(self, run: Run) -> list[Progress]:
        if run.wanted_region is None:
            raise RuntimeError("a search that no program asked for")
        run.token.raise_if_cancelled()
        with stage("diffusion", "region"):
            wanted = run.wanted_region
            mask = self._model.regions.find(wanted.with_identity, wanted.without_identity)
        return run.resume(mask, self._model.codec)

    async def _decode(self, run: Run) -> Decoded:
        denoised_s = time.monotonic()
        if run.latents is None:
            raise RuntimeError("decoding before the last step")
        image = await self.codec.decode(run.latents)
        if run.finish is not None:
            # Not behind the next decode: it is a matter of milliseconds.
            image = await asyncio.to_thread(run.finish, image)
        run.token.raise_if_cancelled()
        return run.decoded(image, denoised_s)


def _pause(work: Coroutine[None, None, None], pauses: set[asyncio.Task[None]]) -> None:
    pause = asyncio.create_task(work)
    pauses.add(pause)
    pause.add_done_callback(pauses.discard)
