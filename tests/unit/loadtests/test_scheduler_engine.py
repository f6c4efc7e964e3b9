"""The product's loop in virtual time: exact, repeatable, and without waiting."""

import asyncio
import time

import pytest

from loadtests.scheduler.baselines import one_at_a_time
from loadtests.scheduler.engine import step_level_batching
from loadtests.scheduler.virtual_time import VirtualExecutor, run_virtual
from loadtests.traffic import LoadRequest, make_requests, poisson_arrivals


def cost(batch: int) -> float:
    return 1.0


def test_an_hour_passes_at_once() -> None:
    async def sleep() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    began_s = time.perf_counter()
    assert run_virtual(sleep()) == pytest.approx(3600)
    assert time.perf_counter() - began_s < 5


def test_calls_of_an_executor_take_what_they_charge_one_after_the_other() -> None:
    async def two_calls() -> tuple[float, float]:
        executor, loop = VirtualExecutor(), asyncio.get_running_loop()

        async def call(seconds: float) -> float:
            await loop.run_in_executor(executor, executor.charge, seconds)
            return loop.time()

        first, second = await asyncio.gather(call(2.0), call(3.0))
        return first, second

    assert run_virtual(two_calls()) == (2.0, 5.0)


def test_an_error_in_a_call_comes_out() -> None:
    async def fail() -> None:
        await asyncio.get_running_loop().run_in_executor(VirtualExecutor(), int, "x")

    with pytest.raises(ValueError, match="invalid literal"):
        run_virtual(fail())


def test_waiting_for_nothing_is_an_error_and_not_a_hang() -> None:
    async def wait() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(RuntimeError, match="cannot happen"):
        run_virtual(wait())


def test_rows_of_different_identities_share_calls_and_join_between_steps() -> None:
    requests = [LoadRequest(0, 0, 0, 3, 0, 0.0), LoadRequest(1, 1, 0, 3, 1, 0.5)]
    outcome = step_level_batching(requests, cost, max_batch=8)
    assert outcome.batch_sizes == [1, 2, 2, 1]
    assert outcome.adapters_per_call == [1, 2, 2, 1]
    assert outcome.served[0].done_s == pytest.approx(3.0)
    assert outcome.served[1].first_step_s == pytest.approx(2.0)
    assert outcome.served[1].done_s == pytest.approx(4.0)


def test_with_room_for_one_row_it_takes_as_long_as_one_at_a_time() -> None:
    requests = poisson_arrivals(make_requests(20, identity_count=None, seed=1), 0.1, seed=1)
    ours, theirs = step_level_batching(requests, cost, max_batch=1), one_at_a_time(requests, cost)
    for index, served in theirs.served.items():
        assert ours.served[index].done_s == pytest.approx(served.done_s)


def test_the_same_load_gives_the_same_run() -> None:
    requests = poisson_arrivals(make_requests(30, identity_count=4, seed=1), 1.0, seed=1)
    first, second = (step_level_batching(requests, cost, max_batch=4) for _ in range(2))
    assert first.served == second.served
    assert first.batch_sizes == second.batch_sizes
