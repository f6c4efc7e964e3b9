"""What LoRA as data costs: against merged weights, and when another adapter takes a row."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from loadtests.engine.likeness import LikenessEngine
from loadtests.traffic import LoadRequest
from services.diffusion.domain.ports import UNetBackend
from services.diffusion.domain.rows import RowBatch

BATCH = 8


def over_merged(
    engine: LikenessEngine, merged: UNetBackend, requests: Sequence[LoadRequest], repeats: int
) -> dict[str, float]:
    """Returns the call times of eight rows with eight adapter mixes, and of the same rows without any.

    *merged* is the same network in the same runtime and precision, with no adapters to apply: what a
    server with weights merged for one person runs. All of them take turns, so that a busy host hits all; a
    call is timed when its mixes are in place, as in all calls but those that a picture joins (see `swap_ms`).
    The mixes are identity and style as in the load, the identity alone, and none: what is left then is the
    price of having the operators at all.
    """
    unet = engine.model.unet
    both, one = (engine.batch(requests[:BATCH], count) for count in (2, 1))
    without = RowBatch.of([replace(row, adapters=()) for row in both.rows])
    calls = [partial(unet.predict, rows) for rows in (both, one, without)]
    both_s, one_s, none_s, merged_s = take_turns([*calls, partial(merged.predict, without)], repeats)
    return {
        "as_data_ms": 1000 * both_s,
        "identity_alone_ms": 1000 * one_s,
        "no_adapters_ms": 1000 * none_s,
        "merged_ms": 1000 * merged_s,
        "overhead_percent": 100 * (both_s / merged_s - 1),
        "identity_alone_percent": 100 * (one_s / merged_s - 1),
    }


def swap_ms(engine: LikenessEngine, requests: Sequence[LoadRequest]) -> dict[str, float]:
    """Returns what a request pays for having other adapters than the one before, in milliseconds.

    `lookup`: its two adapters, which are in the cache. `first`: a UNet call of two guided rows whose mix was
    never seen, over the same call again, which includes packing the matrices. `again`: the same once all
    mixes of *requests* had their turn. Medians. `total` is lookup and again: changing among what is loaded.
    """
    unet = engine.model.unet
    mixes = [engine.mix(request) for request in requests]
    unet.forget_adapters([use.adapter.name for mix in mixes for use in mix])
    lookups = [seconds(engine.mix, request) for request in requests]
    first_ms, again_ms = (1000 * _change_s(engine, requests) for _ in range(2))
    lookup_ms = 1000 * statistics.median(lookups)
    return {
        "lookup_ms": lookup_ms,
        "first_ms": first_ms,
        "again_ms": again_ms,
        "total_ms": lookup_ms + max(again_ms, 0.0),
    }


def _change_s(engine: LikenessEngine, requests: Sequence[LoadRequest]) -> float:
    """Median of a call whose adapters differ from the last one's, less the same call again."""
    predict = engine.model.unet.predict
    differences = []
    for request in requests:
        rows = RowBatch.of(engine.batch([request]).rows * 2)
        differences.append(seconds(predict, rows) - seconds(predict, rows))
    return statistics.median(differences)


def take_turns(calls: Sequence[Callable[[], object]], repeats: int) -> list[float]:
    """Returns the median seconds of calls that take turns, each made twice and timed the second time."""
    turns = [[_second_time_s(call) for call in calls] for _ in range(repeats + 2)][2:]
    return [statistics.median(column) for column in zip(*turns, strict=True)]


def _second_time_s(call: Callable[[], object]) -> float:
    call()
    return seconds(call)


def seconds(call: Callable[..., object], *given: object) -> float:
    """Returns how long *call* takes."""
    began_s = time.perf_counter()
    call(*given)
    return time.perf_counter() - began_s
