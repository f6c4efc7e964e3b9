"""Loops, batch formation and observation of the engine's benchmark, without any model."""

import asyncio
from collections.abc import Callable, Coroutine
from types import SimpleNamespace

import pytest

from loadtests.engine import lora_cost
from loadtests.engine.load import Clock, Timeline, closed_loop, open_loop
from loadtests.engine.observe import Call, StageClock, Timed
from loadtests.engine.profile import call_profile
from loadtests.engine.static_batches import take_batch
from loadtests.scheduler.virtual_time import run_virtual
from loadtests.statistics import Served
from loadtests.traffic import LoadRequest, make_requests


class Recorder:
    """A system that takes 10 ms and knows how many requests it had at a time."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.order: list[int] = []

    async def serve(self, request: LoadRequest, timeline: Timeline) -> None:
        self.order.append(request.index)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.01)
        timeline.step_done()
        self.now -= 1


def in_virtual_time(loop: Callable[[Clock], Coroutine[None, None, list[Served]]]) -> list[Served]:
    """Run a loop with a clock that only its own sleeps advance, from second 0."""

    async def run() -> list[Served]:
        return await loop(asyncio.get_running_loop().time)

    return run_virtual(run())


def test_a_closed_loop_keeps_so_many_in_flight() -> None:
    system, requests = Recorder(), make_requests(12, identity_count=4, seed=1)
    served = in_virtual_time(lambda clock: closed_loop(system, requests, 3, clock=clock))
    assert system.most == 3
    assert system.order == list(range(12))
    assert [one.arrived_s for one in served] == pytest.approx([0.01 * (index // 3) for index in range(12)])
    assert all(one.arrived_s < one.first_step_s <= one.done_s for one in served)


def test_an_open_loop_waits_for_arrivals_and_not_for_answers() -> None:
    system = Recorder()
    requests = [LoadRequest(index, 0, 0, 8, index, 0.002 * index) for index in range(4)]
    served = in_virtual_time(lambda clock: open_loop(system, requests, clock=clock))
    assert system.most == 4
    assert [one.arrived_s for one in served] == pytest.approx([0, 0.002, 0.004, 0.006])
    assert [one.done_s for one in served] == pytest.approx([0.01, 0.012, 0.014, 0.016])


async def test_the_loops_tell_real_time_unless_told_otherwise() -> None:
    [closed] = await closed_loop(Recorder(), make_requests(1, identity_count=1, seed=1), 1)
    [opened] = await open_loop(Recorder(), make_requests(1, identity_count=1, seed=1))
    assert 0 < closed.arrived_s < closed.done_s <= opened.arrived_s < opened.done_s


async def test_a_request_without_a_step_is_an_error() -> None:
    class Broken:
        async def serve(self, request: LoadRequest, timeline: Timeline) -> None:
            pass

    with pytest.raises(RuntimeError, match="without a step"):
        await closed_loop(Broken(), make_requests(1, identity_count=1, seed=1), 1)


def test_a_pipeline_batch_shares_adapters_and_steps() -> None:
    def request(identity: int, style: int, steps: int) -> LoadRequest:
        return LoadRequest(0, identity, style, steps, 0)

    line = [request(1, 0, 8), request(1, 1, 8), request(1, 0, 20), request(1, 0, 8), request(1, 0, 8)]
    waiting = list("abcde")
    assert take_batch(waiting, line, max_batch=2) == ["a", "d"]
    assert waiting == ["b", "c", "e"]
    assert take_batch(waiting, [line[1], line[2], line[4]], max_batch=2) == ["b"]


def test_timed_methods_are_counted_and_others_pass() -> None:
    clock = StageClock()
    watched = Timed(SimpleNamespace(step=lambda value: value + 1, name="x"), clock, {"step": "sampler"})
    assert watched.step(1) == 2
    assert watched.step(value=2) == 3
    assert watched.name == "x"
    assert clock.counts == {"sampler": 2}
    assert clock.seconds["sampler"] >= 0


def test_call_profile_splits_calls_and_gaps() -> None:
    calls = [Call(0.0, 1.0, 2, 1), Call(1.5, 2.5, 16, 8)]
    profile = call_profile(calls, {"sampler": 0.2, "decode": 0.4})
    assert profile["unet_ms"] == pytest.approx(1000)
    assert profile["between_calls_ms"] == pytest.approx(500)
    assert profile["sampler_ms"] == pytest.approx(100)
    assert profile["unet_share"] == pytest.approx(0.8)
    assert profile["rows_per_call"] == {"2": 1, "16": 1}
    assert profile["mean_rows"] == 9
    assert profile["beside_ms"] == {"decode": pytest.approx(200)}


def test_calls_that_take_turns_are_timed_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    now_s = 0.0

    def slow() -> None:
        nonlocal now_s
        order.append("slow")
        now_s += 2

    monkeypatch.setattr(lora_cost, "time", SimpleNamespace(perf_counter=lambda: now_s))
    assert lora_cost.take_turns([slow, lambda: order.append("fast")], repeats=3) == [2, 0]
    assert order == ["slow", "slow", "fast", "fast"] * 5
