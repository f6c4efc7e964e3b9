"""The log that watches read."""

import asyncio
import itertools
import threading

import pytest

from shared.errors.common import FieldInvalid, HistoryGone
from shared.progress import ProgressLog


async def collect(log, token="", *, limit=None):
    """What a watch gets until it ends, or until *limit* events."""
    events = []
    async for event in log.subscribe(token):
        events.append(event)
        if limit is not None and len(events) == limit:
            break
    return events


def payloads(events):
    return [event.payload for event in events]


def finished(*events, **options):
    log = ProgressLog(**options)
    for event in events[:-1]:
        log.append(event)
    log.append(events[-1], terminal=True)
    return log


async def test_a_new_watch_gets_the_last_known_state_first_then_live():
    log = ProgressLog()
    log.append("queued")
    log.append("step 1")
    watch = log.subscribe()
    first = await anext(watch)
    log.append("step 2")
    log.append("done", terminal=True)
    rest = [event async for event in watch]

    assert (first.payload, first.is_snapshot, first.sequence) == ("step 1", True, 2)
    assert [(event.payload, event.is_snapshot) for event in rest] == [("step 2", False), ("done", False)]


async def test_sequences_rise_by_one_and_append_returns_them():
    log = ProgressLog()
    numbers = [log.append("x") for _ in range(5)]

    assert numbers == [1, 2, 3, 4, 5]


async def test_resume_continues_after_the_last_seen_event_without_gaps():
    log = ProgressLog()
    for number in range(10):
        log.append(number)
    last_seen = log.resume_token.replace("+10", "+5")
    log.append("done", terminal=True)
    events = await collect(log, last_seen)

    assert payloads(events) == [5, 6, 7, 8, 9, "done"]
    assert [event.sequence for event in events] == [6, 7, 8, 9, 10, 11]


async def test_broken_watches_that_resume_see_every_event_once():
    log = finished(*range(20))
    seen = payloads(await collect(log, log.resume_token.replace("+20", "+0"), limit=7))
    token = log.resume_token.replace("+20", "+7")
    seen += payloads(await collect(log, token))

    assert seen == list(range(20))


async def test_a_finished_job_gives_its_terminal_state_and_ends():
    log = finished("running", "done")
    events = await collect(log)

    assert payloads(events) == ["done"]
    assert log.is_finished
    assert await collect(log, events[-1].resume_token) == []


async def test_nothing_can_follow_the_terminal_event():
    with pytest.raises(ValueError, match="terminal"):
        finished("done").append("more")


async def test_a_watch_before_the_first_event_waits_for_it():
    log = ProgressLog()
    task = asyncio.create_task(collect(log))
    await asyncio.sleep(0.02)
    assert not task.done()
    log.append("done", terminal=True)

    assert payloads(await task) == ["done"]


async def test_history_is_bounded_and_says_so():
    log = finished(*range(10), history=4)
    epoch = log.resume_token.rpartition("+")[0]

    assert payloads(await collect(log, f"{epoch}+6")) == [6, 7, 8, 9]
    with pytest.raises(HistoryGone):
        await collect(log, f"{epoch}+5")
    assert payloads(await collect(log)) == [9]


async def test_a_reader_that_falls_behind_the_history_is_told():
    log = ProgressLog(history=3)
    log.append("a")
    watch = log.subscribe()
    await anext(watch)
    for number in range(5):
        log.append(number)

    with pytest.raises(HistoryGone):
        await anext(watch)


async def test_tokens_of_another_run_or_from_the_future_are_gone_and_garbage_is_invalid():
    log = finished("a", "b")

    for token in (ProgressLog().resume_token, log.resume_token.replace("+2", "+3")):
        with pytest.raises(HistoryGone):
            await collect(log, token)
    for token in ("x", "+1", "abc+", "abc+-1", "abc+1.5"):
        with pytest.raises(FieldInvalid, match="resume_token"):
            await collect(log, token)


async def test_numbers_go_on_under_a_durable_epoch():
    before = ProgressLog(epoch="portraits/1")
    before.append("queued")
    token = before.resume_token
    after = ProgressLog(epoch="portraits/1", start_after=1)
    after.append("done", terminal=True)

    assert [(event.sequence, event.payload) for event in await collect(after, token)] == [(2, "done")]


async def test_heartbeats_carry_the_token_of_the_last_event():
    log = ProgressLog(heartbeat_s=0.02)
    log.append("a")
    first, beat, second_beat = await collect(log, limit=3)

    assert (beat.payload, beat.sequence, beat.resume_token) == (None, 1, first.resume_token)
    assert second_beat == beat


async def test_live_only_events_reach_present_watches_but_not_later_ones():
    log = ProgressLog()
    log.append("state")
    present = log.subscribe()
    await anext(present)
    log.append("preview", live_only=True)
    log.append("done", terminal=True)
    late = await collect(log, log.resume_token.replace("+3", "+1"))

    assert payloads([event async for event in present]) == ["preview", "done"]
    assert payloads(late) == ["done"]
    assert payloads(await collect(log)) == ["done"]


async def test_live_only_events_do_not_use_up_the_history():
    log = ProgressLog(history=2)
    log.append("a")
    for number in range(50):
        log.append(number, live_only=True)
    log.append("done", terminal=True)

    assert payloads(await collect(log, log.resume_token.replace("+52", "+0"))) == ["a", "done"]


async def test_fold_merges_events_into_the_state():
    log = ProgressLog(fold=lambda state, event: {**(state or {}), **event})
    log.append({"stage": "generate"})
    log.append({"step": 3})
    log.append({"step": 4})
    (opening,) = await collect(log, limit=1)

    assert opening.payload == {"stage": "generate", "step": 4}
    assert log.state == opening.payload


async def test_drain_ends_watches_after_what_they_have_not_seen_but_not_the_job():
    log = ProgressLog()
    log.append("a")
    task = asyncio.create_task(collect(log))
    await asyncio.sleep(0.02)
    log.append("b")
    log.drain()

    assert payloads(await asyncio.wait_for(task, 30)) == ["a", "b"]
    assert log.append("c") == 3


async def test_ending_a_watch_leaves_the_log_and_the_other_watches_alone():
    log = ProgressLog()
    log.append("a")
    stays = asyncio.create_task(collect(log))
    leaves = asyncio.create_task(collect(log))
    await asyncio.sleep(0.02)
    leaves.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaves
    log.append("done", terminal=True)

    assert payloads(await stays) == ["a", "done"]


async def test_threads_append_while_watches_read():
    log = ProgressLog(history=10_000)
    watches = [asyncio.create_task(collect(log)) for _ in range(3)]
    await asyncio.sleep(0)

    def work():
        for _ in range(500):
            log.append("x")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    await asyncio.to_thread(lambda: [thread.join() for thread in threads])
    log.append("done", terminal=True)
    for events in await asyncio.gather(*watches):
        numbers = [event.sequence for event in events]
        assert numbers[-1] == 2001
        assert all(b - a == 1 for a, b in itertools.pairwise(numbers))


def test_append_survives_a_watch_whose_event_loop_has_ended():
    log = ProgressLog()
    log.append("a")
    watch = log.subscribe()

    async def first():
        return (await anext(watch)).payload

    loop = asyncio.new_event_loop()
    assert loop.run_until_complete(first()) == "a"
    loop.close()

    assert log.append("b") == 2
