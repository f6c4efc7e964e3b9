"""Sections of our engine: closed loop with profile, sweep of arrival rates, memory."""

import asyncio
import itertools
import random
import statistics
from dataclasses import replace
from typing import Any

import numpy as np

from loadtests.engine import lora_cost
from loadtests.engine.adapters import make_adapters
from loadtests.engine.likeness import LikenessEngine
from loadtests.engine.load import Timeline, closed_loop, open_loop
from loadtests.engine.memory import growth, resident_mib
from loadtests.engine.merged import merged_backend
from loadtests.engine.parts.requests import all_requests, arriving
from loadtests.engine.profile import call_profile, request_split
from loadtests.engine.scale import IN_FLIGHT, SEED, WEIGHTS, WORK, Scale
from loadtests.statistics import percentile, summary
from loadtests.traffic import STYLE_COUNT, LoadRequest, make_requests

MEMORY_SIZE_PX = 64
_MEMORY_SAMPLES = 40


async def likeness(scale: Scale, backend: str) -> dict[str, Any]:
    """Returns everything about one backend under a closed loop."""
    engine = await _warm_engine(scale, backend)
    requests = all_requests(scale)
    picture = await engine.picture(requests[0], Timeline())
    np.save(WORK / scale.name / f"picture-{backend}.npy", picture)
    engine.forget()
    served = await closed_loop(engine, requests[: scale.closed_count], IN_FLIGHT)
    result = {
        "backend": backend,
        "description": engine.model.unet.description,
        **summary(served),
        "profile": call_profile(engine.observed.calls, engine.observed.clock.seconds),
        "split": request_split(engine.made),
    }
    _say(f"{result['description']}: {result['images_per_s']:.2f} images/s")
    await engine.close()
    return result


async def costs(scale: Scale, backend: str) -> dict[str, Any]:
    """Returns what adapters cost on one backend, and how long a joining request waits."""
    engine = await _warm_engine(scale, backend)
    requests = all_requests(scale)
    result: dict[str, Any] = {"backend": backend, "join": await _join(engine, scale)}
    merged = merged_backend(engine.model.unet, WEIGHTS, WORK / scale.name / "merged")
    result["lora"] = lora_cost.over_merged(engine, merged, requests, scale.repeats)
    result["swap"] = lora_cost.swap_ms(engine, _one_per_identity(scale))
    _say(
        f"joining {result['join']['p95_steps']:.2f} step-times, LoRA as data "
        f"{result['lora']['overhead_percent']:+.1f} %, another mix {result['swap']['total_ms']:.2f} ms"
    )
    await engine.close()
    return result


async def sweep(scale: Scale, backend: str, capacity_per_s: float) -> dict[str, Any]:
    """Returns one point per arrival rate, as shares of *capacity_per_s*."""
    engine = await _warm_engine(scale, backend)
    points = []
    for load in scale.loads:
        engine.forget()
        rate_per_s = load * capacity_per_s
        served = await open_loop(engine, arriving(scale, scale.own_sweep_count, rate_per_s))
        split = request_split(engine.made)
        profile = call_profile(engine.observed.calls, engine.observed.clock.seconds)
        points.append(
            {"load": load, "rate_per_s": rate_per_s, **summary(served), "split": split, "profile": profile}
        )
        _say(f"{rate_per_s:.2f} requests/s: p95 {points[-1]['latency_s']['p95']:.2f} s")
    await engine.close()
    return {"backend": backend, "points": points}


async def memory(scale: Scale, backend: str) -> dict[str, Any]:
    """Returns the resident memory over many pictures: two steps at 64 px, so that it takes minutes."""
    store, files = make_adapters(WEIGHTS, scale.identity_count)
    engine = LikenessEngine(backend, WEIGHTS, store, files, size_px=MEMORY_SIZE_PX, is_observed=False)
    count = scale.identity_count
    requests = make_requests(scale.memory_count, identity_count=count, seed=SEED, step_counts=(2,))
    # Every identity in every style early on: what the engine remembers of them must not look like a leak.
    requests = [
        replace(one, identity=one.index % count, style=one.index // count % STYLE_COUNT) for one in requests
    ]
    samples = []
    block = max(1, scale.memory_count // _MEMORY_SAMPLES)
    for start in range(0, len(requests), block):
        await closed_loop(engine, requests[start : start + block], IN_FLIGHT)
        engine.made.clear()
        samples.append(resident_mib())
    await engine.close()
    result = {
        "image_count": len(requests),
        "size_px": MEMORY_SIZE_PX,
        "step_count": 2,
        "samples_mib": samples,
    }
    _say(f"{len(requests)} pictures: {samples[0]:.0f} to {samples[-1]:.0f} MiB")
    return {**result, **growth(samples)}


async def _warm_engine(scale: Scale, backend: str) -> LikenessEngine:
    (WORK / scale.name).mkdir(parents=True, exist_ok=True)
    store, files = make_adapters(WEIGHTS, scale.identity_count)
    engine = LikenessEngine(backend, WEIGHTS, store, files)
    await engine.warm_up([replace(request, step_count=2) for request in all_requests(scale)[:2]])
    return engine


async def _join(engine: LikenessEngine, scale: Scale) -> dict[str, float]:
    """Returns how long requests that join eight others wait for their first step, in step-times."""
    stop = asyncio.Event()
    longest = replace(all_requests(scale)[0], step_count=max(scale.step_counts))

    async def stay_busy(number: int) -> None:
        while not stop.is_set():
            request = replace(longest, identity=number % scale.identity_count, seed=number)
            await engine.serve(request, Timeline())

    clients = [asyncio.create_task(stay_busy(number)) for number in range(IN_FLIGHT)]
    await asyncio.sleep(1.0)
    engine.forget()
    pause, waits_s = random.Random(SEED), []
    for number in range(scale.join_count):
        await asyncio.sleep(pause.uniform(0.0, 0.5))
        timeline = Timeline()
        request = replace(longest, identity=(IN_FLIGHT + number) % scale.identity_count)
        await engine.first_step(request, timeline)
        waits_s.append((timeline.first_step_s or 0.0) - timeline.arrived_s)
    calls = list(engine.observed.calls)
    stop.set()
    await asyncio.gather(*clients)
    step_s = statistics.median(after.began_s - before.began_s for before, after in itertools.pairwise(calls))
    return {
        "step_time_s": step_s,
        "count": float(len(waits_s)),
        "p50_steps": percentile(waits_s, 50) / step_s,
        "p95_steps": percentile(waits_s, 95) / step_s,
        "max_steps": max(waits_s) / step_s,
    }


def _one_per_identity(scale: Scale) -> list[LoadRequest]:
    first = all_requests(scale)[0]
    return [replace(first, identity=number) for number in range(scale.identity_count)]


def _say(text: str) -> None:
    print(f"  {text}", flush=True)
