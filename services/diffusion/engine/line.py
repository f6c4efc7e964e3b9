"""The pictures of one model: who takes turns, who stands in line, who is told what."""

import math

from services.diffusion.domain.events import Queued
from services.diffusion.engine.batcher import BatcherFull, RowBatcher, Ticket
from services.diffusion.engine.limits import BatchLimits
from services.diffusion.engine.run import Run
from services.diffusion.errors import QueueFull
from shared.telemetry import queue_depth

_RETRY_BOUNDS_S = (0.5, 60.0)


class Line:
    """Lets pictures in and out of a batcher and tells those in line where they stand."""

    def __init__(self, name: str, limits: BatchLimits) -> None:
        self._name = name
        self._limits = limits
        self._depth = queue_depth(f"diffusion.{name}")
        self.batcher = RowBatcher[Run](
            max_rows=limits.max_rows, max_active=limits.max_active, max_waiting=limits.max_waiting
        )

    def check_room(self, turn_s: float) -> None:
        """Refuse at once what `join` would refuse. Raises: QueueFull."""
        if self.batcher.is_full:
            raise self._full(turn_s)

    def join(self, run: Run, turn_s: float) -> Ticket[Run]:
        """Enter with the first step of *run*; a turn takes *turn_s*.

        Raises: QueueFull, with the delay after which a place is expected.
        """
        try:
            ticket = self.batcher.join(run, run.rows())
        except BatcherFull:
            raise self._full(turn_s) from None
        run.ahead_count = max(0, len(self.batcher.waiting) - 1)
        run.events.put_nowait(Queued(run.ahead_count))
        self._depth.set(len(self.batcher.waiting))
        return ticket

    def leave(self, ticket: Ticket[Run]) -> None:
        """Give up the place at once; those behind move up. Idempotent."""
        self.batcher.leave(ticket)
        self._depth.set(len(self.batcher.waiting))
        for position, waiting in enumerate(self.batcher.waiting):
            if waiting.owner.ahead_count != position:
                waiting.owner.ahead_count = position
                waiting.owner.events.put_nowait(Queued(position))

    def fail(self, ticket: Ticket[Run], error: Exception) -> None:
        """Tell the caller of *error* and leave."""
        ticket.owner.events.put_nowait(error)
        self.leave(ticket)

    def fail_all(self, error: Exception) -> None:
        """Fail every picture that takes turns or waits."""
        for ticket in self.batcher.active + self.batcher.waiting:
            self.fail(ticket, error)

    def _full(self, turn_s: float) -> QueueFull:
        return QueueFull(
            queue=f"The model {self._name}",
            limit=self._limits.max_waiting,
            retry_after_s=self._retry_after_s(turn_s),
        )

    def _retry_after_s(self, turn_s: float) -> float:
        """Time until the first of the active pictures should be done, if all share the batches evenly."""
        steps = [ticket.owner.step for ticket in self.batcher.active]
        batches_per_turn = math.ceil(sum(len(step.rows) for step in steps) / self._limits.max_rows)
        fewest_turns = min((step.step_count - step.done_count for step in steps), default=1)
        shortest_s, longest_s = _RETRY_BOUNDS_S
        return min(max(fewest_turns * batches_per_turn * turn_s, shortest_s), longest_s)
