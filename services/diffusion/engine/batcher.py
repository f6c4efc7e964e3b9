"""Packs rows of many pictures into UNet calls: by waiting time, of one shape, up to a row limit.

Pure bookkeeping, no clock, no threads: whoever owns the batcher calls it from one thread.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.diffusion.domain.rows import UNetRow

Array = NDArray[np.float32]
OwnerT = TypeVar("OwnerT")


class BatcherFull(Exception):
    """The waiting line is at its limit."""


@dataclass(eq=False)
class Ticket(Generic[OwnerT]):
    """One picture's place: the rows of its present step and what came back for them."""

    owner: OwnerT
    sequence: int
    rows: Sequence[UNetRow] = ()
    predictions: dict[int, Array] = field(default_factory=dict)
    last_served: int = 0

    @property
    def pending(self) -> list[int]:
        """Positions of the rows that have no prediction yet."""
        return [index for index in range(len(self.rows)) if index not in self.predictions]

    @property
    def is_complete(self) -> bool:
        """True once every row of the step has its prediction."""
        return len(self.predictions) == len(self.rows)

    def begin_step(self, rows: Sequence[UNetRow]) -> None:
        """Replace the finished step by the next one. Raises: ValueError without rows."""
        if not rows:
            raise ValueError("a step needs at least one row")
        self.rows = rows
        self.predictions = {}

    def take_predictions(self) -> tuple[Array, ...]:
        """Predictions of the step in the order of its rows."""
        return tuple(self.predictions[index] for index in range(len(self.rows)))


@dataclass(frozen=True, eq=False)
class RowRef(Generic[OwnerT]):
    """Row `index` of the present step of `ticket`."""

    ticket: Ticket[OwnerT]
    index: int

    @property
    def row(self) -> UNetRow:
        """The row itself."""
        return self.ticket.rows[self.index]


class RowBatcher(Generic[OwnerT]):
    """Active pictures take turns by waiting time; further ones wait in order of arrival.

    The rows of one step (a guidance pair or triple) need not share a call: the last picture of a batch is
    split where it does not fit. Rows do not depend on each other, so nothing is lost by it. Keeping them
    together would leave up to two places of every full call empty, and the picture would wait for the next
    call all the same; split, it needs fewer places there, and being the oldest by then it has them.

    Promises: a batch holds 1 to `max_rows` rows of one shape and no row twice; the picture that waited
    longest is always in the next batch, so with n active pictures nobody waits more than n batches (times
    the batches that one step needs); at most `max_active` are active and `max_waiting` wait.
    """

    def __init__(self, *, max_rows: int, max_active: int, max_waiting: int) -> None:
        self.max_rows = max_rows
        self.max_active = max_active
        self.max_waiting = max_waiting
        self._active: dict[int, Ticket[OwnerT]] = {}
        self._waiting: deque[Ticket[OwnerT]] = deque()
        self._sequence = 0
        self._tick = 0

    @property
    def active(self) -> list[Ticket[OwnerT]]:
        """Pictures whose rows take part in batches."""
        return list(self._active.values())

    @property
    def waiting(self) -> list[Ticket[OwnerT]]:
        """Pictures in line, the next one first."""
        return list(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether nobody more can join now."""
        return len(self._active) >= self.max_active and len(self._waiting) >= self.max_waiting

    def join(self, owner: OwnerT, rows: Sequence[UNetRow]) -> Ticket[OwnerT]:
        """Enter with the rows of the first step; they take part from the next batch on if a place is free.

        Raises:
            BatcherFull: `max_waiting` pictures wait already.
        """
        if self.is_full:
            raise BatcherFull
        self._sequence += 1
        ticket = Ticket(owner, self._sequence)
        ticket.begin_step(rows)
        self._waiting.append(ticket)
        self._admit()
        return ticket

    def leave(self, ticket: Ticket[OwnerT]) -> None:
        """Give up the place at once, finished or cancelled; the next in line takes it. Idempotent."""
        if self._active.pop(ticket.sequence, None) is None and ticket in self._waiting:
            self._waiting.remove(ticket)
        self._admit()

    def next_batch(self) -> list[RowRef[OwnerT]]:
        """Rows for the next UNet call; empty when nothing is active."""
        by_age = sorted(self._active.values(), key=lambda ticket: (ticket.last_served, ticket.sequence))
        batch: list[RowRef[OwnerT]] = []
        for ticket in by_age:
            if not ticket.pending:
                continue
            if batch and ticket.rows[0].shape_key != batch[0].row.shape_key:
                continue
            free = self.max_rows - len(batch)
            batch.extend(RowRef(ticket, index) for index in ticket.pending[:free])
            if len(batch) == self.max_rows:
                break
        return batch

    def deliver(self, batch: Sequence[RowRef[OwnerT]], predictions: Sequence[Array]) -> list[Ticket[OwnerT]]:
        """Hand out one prediction per row; returns the pictures whose step is now complete.

        Until they begin their next step or leave they keep their place and have no rows. Pictures that left
        are skipped.

        Raises:
            ValueError: The numbers of rows and predictions differ.
        """
        self._tick += 1
        touched: dict[int, Ticket[OwnerT]] = {}
        for ref, prediction in zip(batch, predictions, strict=True):
            if ref.ticket.sequence in self._active:
                ref.ticket.predictions[ref.index] = prediction
                touched[ref.ticket.sequence] = ref.ticket
        complete = [ticket for ticket in touched.values() if ticket.is_complete]
        for ticket in complete:
            ticket.last_served = self._tick
        return complete

    def _admit(self) -> None:
        while self._waiting and len(self._active) < self.max_active:
            ticket = self._waiting.popleft()
            ticket.last_served = self._tick
            self._active[ticket.sequence] = ticket
