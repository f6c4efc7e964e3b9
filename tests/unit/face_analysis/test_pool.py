import asyncio
import threading

import pytest

from services.face_analysis.engine.analyzer import FaceAnalyzer
from services.face_analysis.engine.pool import AnalyzerPool
from shared.cancellation import CancellationToken, Cancelled
from shared.errors.common import NotWarm, QueueFull
from tests.unit.face_analysis.scripted import ScriptedBackend


def new_analyzer() -> FaceAnalyzer:
    return FaceAnalyzer(ScriptedBackend(lambda rgb: []))


@pytest.fixture
async def pool():
    pool = AnalyzerPool(new_analyzer, workers=2, max_waiting=4)
    await pool.warm_up()
    yield pool
    pool.close()


async def test_cold_pool_says_so():
    cold = AnalyzerPool(new_analyzer, workers=1, max_waiting=4)

    with pytest.raises(NotWarm):
        await cold.run(lambda analyzer: None, CancellationToken())
    with pytest.raises(NotWarm):
        _ = cold.info
    cold.close()


async def test_no_analyzer_is_used_by_two_threads_at_a_time(pool):
    in_use: set[int] = set()
    lock = threading.Lock()
    clashes = []
    two_at_work = threading.Barrier(2)

    def work(analyzer):
        with lock:
            clashes.append(id(analyzer) in in_use)
            in_use.add(id(analyzer))
            is_of_the_first = len(clashes) <= 2
        if is_of_the_first:
            two_at_work.wait(timeout=20)
        threading.Event().wait(0.01)
        with lock:
            in_use.discard(id(analyzer))
        return id(analyzer)

    used = await asyncio.gather(*(pool.run(work, CancellationToken()) for _ in range(12)))

    assert not any(clashes)
    assert len(set(used)) == 2, "both workers take part"


async def test_the_event_loop_goes_on_while_a_worker_works(pool):
    release = threading.Event()
    task = asyncio.create_task(pool.run(lambda analyzer: release.wait(5), CancellationToken()))
    await asyncio.sleep(0.01)

    assert not task.done()
    release.set()
    assert await task is True


async def test_work_cancelled_before_its_turn_never_begins(pool):
    token = CancellationToken()
    token.cancel()
    began = []

    with pytest.raises(Cancelled):
        await pool.run(began.append, token)
    assert began == []


async def test_an_analyzer_comes_back_after_a_failure(pool):
    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            await pool.run(lambda analyzer: 1 / 0, CancellationToken())

    assert await asyncio.wait_for(pool.run(lambda analyzer: "alive", CancellationToken()), 30) == "alive"


async def test_images_over_the_limit_are_refused_with_a_delay_and_room_comes_back(pool):
    with pool.admission(3):
        with pytest.raises(QueueFull) as refused, pool.admission(2):
            pass
        assert refused.value.retry_after_s > 0
        with pool.admission(1):
            pass
    with pool.admission(4):
        pass


async def test_a_call_larger_than_the_limit_is_served_when_nothing_waits(pool):
    with pool.admission(64):
        pass
