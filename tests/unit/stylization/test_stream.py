"""Frames: order, bound, errors, cancellation."""

import asyncio

import pytest

from services.stylization.engine.stream import Failed, RisingSequence, in_order
from shared.errors.common import FieldInvalid


async def numbers(count, pulled=None):
    for number in range(count):
        if pulled is not None:
            pulled.append(number)
        yield number


async def test_results_come_in_the_order_of_the_frames_whatever_finishes_first():
    async def slow_when_even(number):
        await asyncio.sleep(0.01 if number % 2 == 0 else 0)
        return number * 10

    out = [pair async for pair in in_order(numbers(7), slow_when_even, ahead=3)]

    assert [(n, n * 10) for n in range(7)] == out


async def test_failed_frame_is_a_result_and_the_next_ones_go_on():
    async def fail_on_two(number):
        if number == 2:
            raise FieldInvalid(field="frame", problem="is bad")
        return number

    out = [result async for _, result in in_order(numbers(4), fail_on_two, ahead=2)]

    assert isinstance(out[2], Failed) and out[2].error.reason == "FIELD_INVALID"
    assert [out[0], out[1], out[3]] == [0, 1, 3]


async def test_unforeseen_error_ends_the_stream_and_leaves_no_task():
    async def crash(number):
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        async for _ in in_order(numbers(3), crash, ahead=2):
            pass
    assert len(asyncio.all_tasks()) == 1


async def test_error_of_the_sender_comes_after_the_results_before_it():
    async def broken():
        yield 1
        raise RuntimeError("the sender broke")

    async def same(number):
        return number

    seen = []
    with pytest.raises(RuntimeError, match="sender"):
        async for _, result in in_order(broken(), same, ahead=1):
            seen.append(result)
    assert seen == [1]


@pytest.mark.parametrize("ahead", [1, 2, 5])
async def test_slow_reader_holds_back_the_sender(ahead):
    pulled = []

    async def same(number):
        return number

    stream = in_order(numbers(100, pulled), same, ahead=ahead)
    await anext(stream)
    await asyncio.sleep(0.02)

    assert len(pulled) <= ahead + 2
    await stream.aclose()


async def test_leaving_cancels_what_is_in_work():
    cancelled = []

    async def hang(number):
        if number == 0:
            return number
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(number)
            raise

    stream = in_order(numbers(50), hang, ahead=2)
    await anext(stream)
    await asyncio.sleep(0.01)
    await stream.aclose()

    assert cancelled
    assert len(asyncio.all_tasks()) == 1


async def test_empty_stream_ends_at_once():
    async def same(number):
        return number

    assert [pair async for pair in in_order(numbers(0), same, ahead=1)] == []


def test_sequence_must_rise_and_a_bad_number_changes_nothing():
    sequence = RisingSequence()
    for number in (0, 4):
        sequence.check(number)

    for bad in (4, 3, 0):
        with pytest.raises(FieldInvalid, match=f"{bad} comes after 4"):
            sequence.check(bad)
    sequence.check(5)
