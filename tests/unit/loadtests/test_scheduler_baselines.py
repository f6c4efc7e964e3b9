"""The other schedulers do what they are said to do, on cases that can be followed by hand."""

import pytest

from loadtests.scheduler.baselines import one_at_a_time, per_adapter_batching, static_batching
from loadtests.scheduler.curve import MAX_BATCH, PUBLISHED_SPEEDUP, SINGLE_CALL_S, call_s
from loadtests.traffic import LoadRequest


def cost(batch: int) -> float:
    """One second a call, whatever its size: batching is free."""
    return 1.0


def request(index: int, *, identity: int = 0, steps: int = 2, arrival: float = 0.0) -> LoadRequest:
    return LoadRequest(index, identity, 0, steps, index, arrival)


def test_curve_has_the_published_points_and_saturates() -> None:
    for batch, speedup in PUBLISHED_SPEEDUP.items():
        assert batch * SINGLE_CALL_S / call_s(batch) == pytest.approx(speedup)
    assert call_s(2) < call_s(3) < call_s(4)
    assert call_s(16) == pytest.approx(2 * call_s(8))
    with pytest.raises(ValueError, match="at least one"):
        call_s(0)


def test_one_at_a_time_serves_in_order_of_arrival() -> None:
    outcome = one_at_a_time([request(0, arrival=0.5), request(1, arrival=0.0)], cost)
    assert outcome.served[1].done_s == 2.0
    assert outcome.served[0].first_step_s == 3.0
    assert outcome.served[0].done_s == 4.0
    assert outcome.batch_sizes == [1] * 4


def test_static_batches_hold_what_waits_with_the_same_steps() -> None:
    requests = [request(0), request(1, steps=3), request(2), request(3), request(4, arrival=1.0)]
    outcome = static_batching(requests, cost, max_batch=2)
    # 0 with 2 (not 3: full), then 1 alone (other steps), then 3 with 4, which came during the first batch.
    assert [outcome.served[index].done_s for index in range(5)] == [2.0, 5.0, 2.0, 7.0, 7.0]
    assert outcome.batch_sizes == [2, 2, 1, 1, 1, 2, 2]


def test_static_batches_mix_identities_but_per_adapter_ones_do_not() -> None:
    requests = [request(index, identity=index) for index in range(4)]
    assert set(static_batching(requests, cost, max_batch=4).batch_sizes) == {4}
    assert set(per_adapter_batching(requests, cost, max_batch=4).batch_sizes) == {1}


def test_per_adapter_batches_let_the_same_adapter_join_between_steps() -> None:
    requests = [request(0, steps=3), request(1, steps=3, arrival=0.5), request(2, identity=1, arrival=0.2)]
    outcome = per_adapter_batching(requests, cost, max_batch=4)
    # 1 joins 0 after its first step; 2 has the next turn when both are done.
    assert outcome.batch_sizes == [1, 2, 2, 1, 1, 1]
    assert [outcome.served[index].done_s for index in range(3)] == [3.0, 4.0, 6.0]
    assert outcome.served[1].first_step_s == 2.0


def test_a_popular_adapter_cannot_keep_its_turn_for_ever() -> None:
    popular = [request(index, steps=1, arrival=0.9 * index) for index in range(50)]
    outcome = per_adapter_batching([*popular, request(99, identity=1, steps=1, arrival=0.1)], cost, 4)
    assert outcome.served[99].done_s <= 3.0
    assert len(outcome.served) == 51


def test_a_full_batch_leaves_the_rest_waiting() -> None:
    requests = [request(index, steps=1) for index in range(MAX_BATCH + 1)]
    outcome = per_adapter_batching(requests, cost, MAX_BATCH)
    assert outcome.batch_sizes == [MAX_BATCH, 1]
