"""Calls shared by many: who shares, who waits, who fails, who is forgotten."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.diffusion.engine.coalescer import Coalescer
from services.diffusion.errors import Draining


class Calls:
    """Doubles numbers; the test holds calls back and fails chosen numbers."""

    def __init__(self) -> None:
        self.seen: list[list[int]] = []
        self.go = threading.Event()
        self.go.set()
        self.poison = -1

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.seen.append(list(items))
        assert self.go.wait(timeout=10)
        if self.poison in items:
            raise ValueError("poisoned")
        return [2 * item for item in items]


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def shared(calls: Calls) -> Iterator[Coalescer[int, int]]:
    with ThreadPoolExecutor(1) as executor:
        yield Coalescer(calls, executor, max_items=lambda _: 3)
        calls.go.set()


async def _until_running(calls: Calls, count: int) -> None:
    async with asyncio.timeout(10):
        while len(calls.seen) < count:
            await asyncio.sleep(0.001)


async def test_what_arrives_together_shares_calls_up_to_the_limit(
    shared: Coalescer[int, int], calls: Calls
) -> None:
    results = await asyncio.gather(*(shared.submit(number) for number in range(5)))

    assert results == [0, 2, 4, 6, 8]
    assert calls.seen == [[0, 1, 2], [3, 4]]


async def test_what_waits_while_a_call_runs_shares_the_next_one(
    shared: Coalescer[int, int], calls: Calls
) -> None:
    calls.go.clear()
    first = asyncio.create_task(shared.submit(1))
    await _until_running(calls, 1)
    later = [asyncio.create_task(shared.submit(number)) for number in (2, 3)]
    await asyncio.sleep(0)
    calls.go.set()

    assert await asyncio.gather(first, *later) == [2, 4, 6]
    assert calls.seen == [[1], [2, 3]]


async def test_keys_do_not_mix_and_the_longest_waiting_goes_first(
    shared: Coalescer[int, int], calls: Calls
) -> None:
    await asyncio.gather(*(shared.submit(number, key=number % 2) for number in range(6)))

    assert calls.seen == [[0, 2, 4], [1, 3, 5]]


async def test_a_key_that_keeps_coming_does_not_starve_another(
    shared: Coalescer[int, int], calls: Calls
) -> None:
    """Bound: as many calls as there were items before it."""
    before = [asyncio.create_task(shared.submit(number, key="busy")) for number in range(4)]
    rare = asyncio.create_task(shared.submit(100, key="rare"))
    after = [asyncio.create_task(shared.submit(number, key="busy")) for number in range(4, 20)]
    await asyncio.gather(*before, rare, *after)

    assert calls.seen.index([100]) <= len(before)


async def test_one_bad_item_fails_alone(shared: Coalescer[int, int], calls: Calls) -> None:
    calls.poison = 1

    results = await asyncio.gather(*(shared.submit(n) for n in range(3)), return_exceptions=True)

    assert [results[0], results[2]] == [0, 4]
    assert isinstance(results[1], ValueError)


async def test_a_caller_that_went_costs_no_call(shared: Coalescer[int, int], calls: Calls) -> None:
    calls.go.clear()
    first = asyncio.create_task(shared.submit(1))
    await _until_running(calls, 1)
    gone, stays = asyncio.create_task(shared.submit(2)), asyncio.create_task(shared.submit(3))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    calls.go.set()

    assert await asyncio.gather(first, stays) == [2, 6]
    assert calls.seen == [[1], [3]]


async def test_closing_fails_what_waits_and_lets_the_running_call_end(
    shared: Coalescer[int, int], calls: Calls
) -> None:
    calls.go.clear()
    running = asyncio.create_task(shared.submit(1))
    await _until_running(calls, 1)
    waiting = asyncio.create_task(shared.submit(2))
    await asyncio.sleep(0)
    closing = asyncio.create_task(shared.close())
    await asyncio.sleep(0)
    calls.go.set()

    with pytest.raises(Draining):
        await waiting
    assert await running == 2
    await closing
    with pytest.raises(Draining):
        await shared.submit(3)
