"""The row batcher under any mix of arrivals, shapes, step counts and cancellations."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.diffusion.domain.rows import TextCondition, UNetRow
from services.diffusion.engine.batcher import BatcherFull, RowBatcher, RowRef, Ticket

_CONTEXT = TextCondition(np.zeros((2, 4), np.float32))


def _rows(count: int, size: int = 2) -> list[UNetRow]:
    return [UNetRow(np.zeros((1, size, size), np.float32), 0.0, _CONTEXT) for _ in range(count)]


def _echo(batch: Sequence[RowRef[int]]) -> list[np.ndarray]:
    """Predictions that name the row they belong to."""
    return [np.array([ref.ticket.sequence, ref.index], np.float32) for ref in batch]


def test_rows_of_several_pictures_share_one_batch() -> None:
    batcher = RowBatcher[int](max_rows=4, max_active=4, max_waiting=0)
    first, second = batcher.join(1, _rows(2)), batcher.join(2, _rows(1))

    assert [(first, 0), (first, 1), (second, 0)] == [(r.ticket, r.index) for r in batcher.next_batch()]


def test_a_newcomer_is_in_the_very_next_batch_while_there_is_room() -> None:
    batcher = RowBatcher[int](max_rows=4, max_active=4, max_waiting=0)
    old = batcher.join(1, _rows(2))
    batch = batcher.next_batch()
    new = batcher.join(2, _rows(2))
    for ticket in batcher.deliver(batch, _echo(batch)):
        ticket.begin_step(_rows(2))

    assert {old, new} == {ref.ticket for ref in batcher.next_batch()}


def test_a_step_larger_than_a_batch_is_split_and_put_together_in_order() -> None:
    batcher = RowBatcher[int](max_rows=2, max_active=1, max_waiting=0)
    ticket = batcher.join(1, _rows(5))
    sizes = []
    while not ticket.is_complete:
        batch = batcher.next_batch()
        sizes.append(len(batch))
        batcher.deliver(batch, _echo(batch))

    assert sizes == [2, 2, 1]
    assert [int(p[1]) for p in ticket.take_predictions()] == [0, 1, 2, 3, 4]


def test_full_line_refuses_and_a_leaver_frees_a_place() -> None:
    batcher = RowBatcher[int](max_rows=2, max_active=1, max_waiting=1)
    first, second = batcher.join(1, _rows(1)), batcher.join(2, _rows(1))
    with pytest.raises(BatcherFull):
        batcher.join(3, _rows(1))

    batcher.leave(first)

    assert [second] == batcher.active
    assert batcher.join(3, _rows(1)).owner == 3


def test_predictions_for_a_picture_that_left_are_dropped() -> None:
    batcher = RowBatcher[int](max_rows=4, max_active=2, max_waiting=0)
    gone, stays = batcher.join(1, _rows(1)), batcher.join(2, _rows(1))
    batch = batcher.next_batch()
    batcher.leave(gone)

    assert [stays] == batcher.deliver(batch, _echo(batch))
    assert not gone.predictions


class BatcherMachine(RuleBasedStateMachine):
    """Random arrivals and cancellations around a loop that runs batches, as the denoiser does."""

    @initialize(rows=st.integers(1, 6), active=st.integers(1, 5), waiting=st.integers(0, 4))
    def configure(self, rows: int, active: int, waiting: int) -> None:
        self.batcher = RowBatcher[int](max_rows=rows, max_active=active, max_waiting=waiting)
        self.steps_left: dict[Ticket[int], int] = {}
        self.patience: dict[Ticket[int], int] = {}
        self.finished: set[Ticket[int]] = set()
        self.cancelled: set[Ticket[int]] = set()

    @rule(row_count=st.integers(1, 5), step_count=st.integers(1, 4), size=st.integers(2, 3))
    def arrive(self, row_count: int, step_count: int, size: int) -> None:
        batcher = self.batcher
        has_room = len(batcher.active) < batcher.max_active or len(batcher.waiting) < batcher.max_waiting
        try:
            ticket = batcher.join(size, _rows(row_count, size))
        except BatcherFull:
            assert not has_room
        else:
            assert has_room
            self.steps_left[ticket] = step_count

    @rule(choice=st.integers(0, 1000))
    def cancel(self, choice: int) -> None:
        alive = [ticket for ticket in self.steps_left if ticket not in self.finished | self.cancelled]
        if alive:
            self.cancelled.add(alive[choice % len(alive)])
            self.batcher.leave(alive[choice % len(alive)])

    @rule()
    def run_batch(self) -> None:
        batch = self.batcher.next_batch()
        self.check(batch)
        complete = self.batcher.deliver(batch, _echo(batch))
        self.check_fairness(complete)
        for ticket in complete:
            own_rows = [[ticket.sequence, index] for index in range(len(ticket.rows))]
            assert own_rows == [list(map(int, row)) for row in ticket.take_predictions()]
            self.steps_left[ticket] -= 1
            if self.steps_left[ticket]:
                ticket.begin_step(_rows(len(ticket.rows), ticket.owner))
            else:
                self.finished.add(ticket)
                self.batcher.leave(ticket)

    def check(self, batch: Sequence[RowRef[int]]) -> None:
        keys = [(ref.ticket.sequence, ref.index) for ref in batch]
        assert bool(batch) == bool(self.batcher.active), "work is never left lying"
        assert len(keys) == len(set(keys)) <= self.batcher.max_rows, "no row twice, bound held"
        assert len({ref.row.shape_key for ref in batch}) <= 1
        assert not self.cancelled & {ref.ticket for ref in batch}, "cancelled rows are gone at once"

    def check_fairness(self, complete: Sequence[Ticket[int]]) -> None:
        """Whoever is active is served before every other active picture was served twice."""
        batches_per_turn = sum(-(-len(t.rows) // self.batcher.max_rows) for t in self.batcher.active)
        for ticket in self.batcher.active:
            left = self.patience.get(ticket, batches_per_turn)
            # Newcomers stand behind whoever waits already, so patience only ever shrinks.
            self.patience[ticket] = left - 1
            assert self.patience[ticket] >= 0 or ticket in complete, "starved"
        for ticket in complete:
            self.patience.pop(ticket, None)

    @invariant()
    def bounds_hold(self) -> None:
        if hasattr(self, "batcher"):
            assert len(self.batcher.active) <= self.batcher.max_active
            assert len(self.batcher.waiting) <= self.batcher.max_waiting

    def teardown(self) -> None:
        for _ in range(5 * sum(self.steps_left.values()) if hasattr(self, "batcher") else 0):
            self.run_batch()
        if hasattr(self, "batcher"):
            assert not self.batcher.active + self.batcher.waiting
            assert set(self.steps_left) == self.finished | self.cancelled, "nothing is lost"
            assert not self.finished & self.cancelled


BatcherMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestBatcherMachine = BatcherMachine.TestCase
