"""Sections of the baselines: diffusers as people run it, and at its best."""

import asyncio
import statistics
import time
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from loadtests.engine.adapters import make_adapters
from loadtests.engine.diffusers_pipeline import EAGER, DiffusersPipeline, Variant
from loadtests.engine.diffusers_server import DiffusersServer
from loadtests.engine.load import closed_loop, open_loop
from loadtests.engine.parts.requests import all_requests, arriving
from loadtests.engine.scale import IN_FLIGHT, WEIGHTS, WORK, Scale
from loadtests.statistics import histogram, summary

# A batch of alike requests can be no larger than what is in flight in the closed loop.
_MAX_BATCH = 8


async def eager(scale: Scale, own_capacity_per_s: float) -> dict[str, Any]:
    """Returns (a): float32, eager, one request at a time, set_adapters per request."""
    pipeline, load_s = _pipeline(EAGER, scale)
    return await _measure("eager", pipeline, 1, scale, own_capacity_per_s) | {"adapter_load_s": load_s}


async def best(scale: Scale, own_capacity_per_s: float, set_adapters_s: float) -> dict[str, Any]:
    """Returns (b): the fastest variant found, with static batches of requests that are alike.

    Args:
        scale: How much is measured.
        own_capacity_per_s: Images per second of our engine, which the common arrival rate comes from.
        set_adapters_s: What (a) measured for choosing among all loaded adapters.
    """
    eager_bf16 = Variant(torch.bfloat16, is_channels_last=True, is_compiled=False, is_hotswapped=True)
    candidates = [eager_bf16]
    if scale.use_compile:
        candidates.append(Variant(torch.bfloat16, True, is_compiled=True, is_hotswapped=True))
    tried, best_pipeline, best_s = [], None, float("inf")
    for variant in candidates:
        began_s = time.perf_counter()
        pipeline, _ = _pipeline(variant, scale)
        step_s, switch_s = pipeline.step_s(scale.repeats), _switch_s(pipeline, scale)
        mean_steps = statistics.mean(scale.step_counts)
        tried.append(
            {
                "variant": variant.name,
                "step_ms": 1000 * step_s,
                "switch_ms": 1000 * switch_s,
                "set_up_s": time.perf_counter() - began_s,
            }
        )
        _say(f"{variant.name}: {1000 * step_s:.1f} ms a step, {1000 * switch_s:.1f} ms to change adapters")
        if mean_steps * step_s + switch_s < best_s:
            best_pipeline, best_s = pipeline, mean_steps * step_s + switch_s
    if best_pipeline is None:
        raise RuntimeError("no variant of diffusers ran")
    result = await _measure("best", best_pipeline, _MAX_BATCH, scale, own_capacity_per_s)
    return result | {"tried": tried, "set_adapters_of_all_ms": 1000 * set_adapters_s}


def _pipeline(variant: Variant, scale: Scale) -> tuple[DiffusersPipeline, float]:
    store, files = make_adapters(WEIGHTS, scale.identity_count)
    began_s = time.perf_counter()
    return DiffusersPipeline(variant, WEIGHTS, store, files), time.perf_counter() - began_s


def _switch_s(pipeline: DiffusersPipeline, scale: Scale) -> float:
    requests = all_requests(scale)[: max(4, scale.repeats)]
    return statistics.median(pipeline.choose(request) for request in requests)


async def _measure(
    name: str, pipeline: DiffusersPipeline, max_batch: int, scale: Scale, own_capacity_per_s: float
) -> dict[str, Any]:
    requests = all_requests(scale)
    short = replace(requests[0], step_count=2)
    # Every shape once: after three sizes torch.compile has one for all of them.
    for size in range(1, min(max_batch, 3) + 1):
        await asyncio.to_thread(pipeline.make, [short] * size, _nothing)
    picture = await asyncio.to_thread(pipeline.make, requests[:1], _nothing)
    np.save(WORK / scale.name / f"picture-{name}.npy", picture[0])
    switch_s = _switch_s(pipeline, scale)
    server = DiffusersServer(pipeline, max_batch)
    result = summary(await closed_loop(server, requests[: scale.closed_count], IN_FLIGHT))
    result["batch_sizes"] = histogram(server.batch_sizes)
    _say(f"{pipeline.variant.name}: {result['images_per_s']:.2f} images/s")
    rates = [share * result["images_per_s"] for share in scale.baseline_loads]
    points = []
    for rate_per_s in sorted([*rates, 0.7 * own_capacity_per_s]):
        served = await open_loop(server, arriving(scale, scale.sweep_count, rate_per_s))
        points.append({"rate_per_s": rate_per_s, **summary(served)})
        _say(f"{rate_per_s:.2f} requests/s: p95 {points[-1]['latency_s']['p95']:.2f} s")
    server.close()
    return {
        "description": pipeline.variant.name,
        "switch_s": switch_s,
        "common_rate_per_s": 0.7 * own_capacity_per_s,
        "points": points,
        **result,
    }


def _nothing() -> None:
    """Hears of a step and does nothing."""


def _say(text: str) -> None:
    print(f"  {text}", flush=True)
