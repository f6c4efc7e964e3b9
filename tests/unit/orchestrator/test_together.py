"""Concurrent work."""

import asyncio

import pytest

from services.orchestrator.engine.together import together


async def give(value: int, delay_s: float = 0.0) -> int:
    await asyncio.sleep(delay_s)
    return value


async def test_results_come_in_order():
    assert await together([give(1, 0.02), give(2)]) == [1, 2]


async def test_the_first_failure_ends_the_rest_and_is_raised_as_it_is():
    ended = []

    async def wait() -> None:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            ended.append(True)
            raise

    async def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await together([wait(), fail()])

    assert ended == [True]


async def test_no_more_than_the_limit_run_at_a_time():
    running, most = 0, 0

    async def work() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1

    await together((work() for _ in range(10)), limit=3)

    assert most == 3


async def test_what_never_ran_is_closed():
    async def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await together([fail(), give(1), give(2)], limit=1)
