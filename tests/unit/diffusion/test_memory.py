"""Memory stays flat over many pictures of many people."""

import asyncio
import gc
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.diffusion.adapters.fake import FakeModels
from services.diffusion.domain.request import AdapterChoice, GenerationRequest
from services.diffusion.engine.generation import Generation
from services.diffusion.engine.limits import BatchLimits, Threads
from shared.artifacts import open_store
from shared.cancellation import CancellationToken
from shared.sdmodels import load_unet, open_model_folder
from tests.support.tiny_models import engine, make_folder, on_backend
from tests.support.tiny_sd import save_random_lora

_MIB = 2**20
_IN_FLIGHT = 8


def _resident_bytes() -> int:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def _draw(generation: Generation, requests: list[GenerationRequest]) -> None:
    """All of them, some at a time; every fifth one is cancelled."""
    places = asyncio.Semaphore(_IN_FLIGHT)

    async def one(number: int, request: GenerationRequest) -> None:
        async with places:
            events = generation.generate(request, tenant="alice", token=CancellationToken())
            async for _ in events:
                if number % 5 == 4:
                    break
            await events.aclose()

    await asyncio.gather(*(one(number, request) for number, request in enumerate(requests)))


async def _growth_bytes() -> int:
    """By how much 1,500 pictures let this process grow, after 300."""
    threads = Threads(*(ThreadPoolExecutor(1) for _ in range(3)))
    limits = BatchLimits(max_rows=16, max_active=_IN_FLIGHT, max_waiting=_IN_FLIGHT)
    generation = Generation(FakeModels(), limits, threads)

    def requests(first: int, count: int) -> list[GenerationRequest]:
        # Prompts differ, so that the memory of encoded prompts turns over as well.
        return [
            GenerationRequest(
                prompt=f"face {n}", seed=n, step_count=3, adapters=(AdapterChoice(name="lora-a"),)
            )
            for n in range(first, first + count)
        ]

    await _draw(generation, requests(0, 300))
    before = _resident_bytes()
    await _draw(generation, requests(300, 1500))
    grown = _resident_bytes() - before
    assert generation.depth("fake") == (0, 0)
    await generation.close()
    return grown


def test_the_engine_keeps_nothing_of_finished_and_cancelled_pictures() -> None:
    """In a process of its own: one full of other tests grows now and then for reasons of theirs."""
    code = f"import asyncio, {__name__} as test; print(asyncio.run(test._growth_bytes()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) < 6 * _MIB


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("backend", ["torch", "onnxruntime"])
async def test_adapters_come_and_go_within_their_budget(backend: str, tmp_path: Path) -> None:
    folder, store = make_folder(tmp_path / "tiny"), open_store("memory://soak")
    unet = load_unet(open_model_folder(folder))
    uris = []
    for seed in range(40):
        file = save_random_lora(unet, tmp_path / f"{seed}.safetensors", seed=seed, rank=8)
        uris.append(store.put(file.read_bytes(), tenant="alice", media_type="x").uri)
    budget = 8 * file.stat().st_size
    model = on_backend(folder, backend, store, budget)

    def requests(count: int) -> list[GenerationRequest]:
        return [
            GenerationRequest(
                prompt=f"face {n}",
                step_count=2,
                width_px=32,
                height_px=32,
                adapters=(AdapterChoice(uri=uris[n % len(uris)]),),
            )
            for n in range(count)
        ]

    async with engine(model, BatchLimits(max_rows=8, max_active=8, max_waiting=8)) as generation:
        await _draw(generation, requests(80))
        before = _resident_bytes()
        await _draw(generation, requests(240))
        held = model.adapters.held_bytes

    assert _resident_bytes() - before < 24 * _MIB
    # What the last pictures in flight packed, and the matrices of the last batch, go with the next load.
    assert held <= budget + 4 * _IN_FLIGHT * file.stat().st_size
