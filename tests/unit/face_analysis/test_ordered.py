import asyncio

import pytest

from services.face_analysis.engine.ordered import map_ordered


async def numbers(count: int, taken: list[int] | None = None):
    for i in range(count):
        if taken is not None:
            taken.append(i)
        yield i


async def test_results_keep_the_order_whatever_finishes_first():
    async def work(i: int) -> int:
        await asyncio.sleep(0.02 if i % 2 == 0 else 0)
        return i * 10

    assert [r async for r in map_ordered(numbers(7), work, 3)] == [i * 10 for i in range(7)]


async def test_no_more_than_the_window_is_taken_and_not_answered():
    running, most, gate = 0, 0, asyncio.Event()

    async def work(i: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await gate.wait()
        running -= 1
        return i

    taken: list[int] = []
    results = map_ordered(numbers(20, taken), work, 4)
    first = asyncio.ensure_future(anext(results))
    await asyncio.sleep(0.02)
    assert taken == [0, 1, 2, 3]
    gate.set()
    assert await first == 0
    assert [r async for r in results] == list(range(1, 20))
    assert most == 4


async def test_a_consumer_that_stops_reading_stops_the_source():
    async def work(i: int) -> int:
        return i

    taken: list[int] = []
    results = map_ordered(numbers(100, taken), work, 3)
    assert await anext(results) == 0
    await asyncio.sleep(0.02)

    assert len(taken) <= 3
    await results.aclose()


async def test_a_result_is_handed_on_while_the_source_is_silent():
    """A client that waits for each answer before it sends the next picture must not hang."""
    queue: asyncio.Queue[int | None] = asyncio.Queue()

    async def source():
        while (item := await queue.get()) is not None:
            yield item

    async def work(i: int) -> int:
        return -i

    results = map_ordered(source(), work, 8)
    for i in range(3):
        queue.put_nowait(i)
        assert await asyncio.wait_for(anext(results), 30) == -i
    queue.put_nowait(None)
    assert [r async for r in results] == []


async def test_failure_of_one_item_ends_the_sequence_and_cancels_the_rest():
    cancelled: list[int] = []

    async def work(i: int) -> int:
        if i == 1:
            raise ValueError("item 1")
        try:
            await asyncio.sleep(0 if i == 0 else 60)
        except asyncio.CancelledError:
            cancelled.append(i)
            raise
        return i

    seen = []
    with pytest.raises(ValueError, match="item 1"):
        async for result in map_ordered(numbers(9), work, 3):
            seen.append(result)

    assert seen == [0]
    assert cancelled, "what was in flight must not run on"


async def test_failure_of_the_source_comes_after_the_results_before_it():
    async def source():
        yield 1
        raise ValueError("source")

    async def work(i: int) -> int:
        await asyncio.sleep(0.01)
        return i

    seen = []
    with pytest.raises(ValueError, match="source"):
        async for result in map_ordered(source(), work, 2):
            seen.append(result)

    assert seen == [1]


async def test_cancelling_the_consumer_cancels_work_in_flight():
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def work(i: int) -> int:
        started.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return i

    async def consume() -> None:
        async for _ in map_ordered(numbers(3), work, 2):
            pass

    consumer = asyncio.create_task(consume())
    await started.wait()
    consumer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await consumer
    assert cancelled.is_set()
