"""`python -m loadtests.decode_stall`: does decoding stall the UNet loop?

Measures the time between two steps of pictures in flight, first alone, then with finished latents being
decoded beside them without a pause (far more than pictures in flight ever finish), for several homes of the
decoder: its own thread with one core, its own thread with all cores, and the thread of the UNet itself.
Leaves out/reports/decode-stall.json.
"""

import argparse
import asyncio
import statistics
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise

import numpy as np

from services.diffusion.bootstrap import build_models
from services.diffusion.domain.events import StepDone
from services.diffusion.domain.model import Model
from services.diffusion.domain.request import GenerationRequest
from services.diffusion.engine.codec import SharedCodec
from services.diffusion.engine.generation import Generation
from services.diffusion.engine.limits import BatchLimits, Threads
from services.diffusion.settings import DiffusionSettings
from shared.artifacts import open_store
from shared.cancellation import CancellationToken
from shared.reports import Bar, write_report
from shared.threads import apply_thread_defaults

# On two cores a decoder that never rests takes one of them, which doubles a step at worst.
_GOAL_SLOWDOWN = 2.0
HOMES = ("no decoding", "own thread, 1 core", "own thread, all cores", "the UNet's thread")


def main() -> None:
    """Run the measurement."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=int, default=4, help="pictures in flight (default 4)")
    parser.add_argument("--steps", type=int, default=30, help="steps of each (default 30)")
    parser.add_argument("--decoders", type=int, default=2, help="callers that decode without a pause")
    options = parser.parse_args()
    apply_thread_defaults()
    model = build_models(DiffusionSettings(), open_store("memory://decode-stall")).load("")
    found = asyncio.run(measure_all(model, options.pictures, options.steps, options.decoders))
    slowdown = found[HOMES[1]]["p95_s"] / found[HOMES[0]]["p95_s"]
    command = f"python -m loadtests.decode_stall --pictures {options.pictures} --steps {options.steps}"
    details = {"backend": model.unet.description, "step_times": found}
    write_report(
        "decode-stall",
        command,
        [Bar("p95 of a step, decoding / not", slowdown, _GOAL_SLOWDOWN, "<=")],
        details,
    )
    for name, numbers in found.items():
        print(f"{name:>22}: " + "  ".join(f"{key} {value:.3f}" for key, value in numbers.items()))


async def measure_all(model: Model, pictures: int, steps: int, decoders: int) -> dict[str, dict[str, float]]:
    """Step times in seconds by home of the decoder."""
    return {
        home: await measure_home(model, home, pictures, steps, 0 if home == HOMES[0] else decoders)
        for home in HOMES
    }


async def measure_home(model: Model, home: str, pictures: int, steps: int, decoders: int) -> dict[str, float]:
    """Step times with *decoders* at work in one home of the decoder."""
    import torch

    from services.diffusion.adapters.torch_threads import bound_torch_threads

    unet, prepare, narrow, wide = (ThreadPoolExecutor(1) for _ in range(4))
    own = torch.get_num_threads()
    bound_torch_threads({unet: own, prepare: 1, narrow: 1, wide: own})
    decode = dict(zip(HOMES, (narrow, narrow, wide, unet), strict=True))[home]
    generation = Generation(_One(model), BatchLimits(16, 16, 0), Threads(unet, narrow, prepare))
    try:
        await measure(generation, model, 1, 2, decode, 0)
        return await measure(generation, model, pictures, steps, decode, decoders)
    finally:
        await generation.close()
        wide.shutdown()


async def measure(
    generation: Generation, model: Model, pictures: int, steps: int, home: Executor, decoders: int
) -> dict[str, float]:
    """Median, 95th percentile and longest time between two steps, and images decoded a second beside them."""
    decoded = 0

    async def decode(codec: SharedCodec) -> None:
        nonlocal decoded
        width, height = model.info.size_px
        cell = model.codec.pixels_per_latent
        latents = np.random.default_rng(0).standard_normal(
            (model.codec.latent_channels, height // cell, width // cell), dtype=np.float32
        )
        while True:
            await codec.decode(latents)
            decoded += 1

    codec = SharedCodec("decode-stall", model.codec, home, max_images=4)
    beside = [asyncio.create_task(decode(codec)) for _ in range(decoders)]
    began_s = time.monotonic()
    gaps = [
        gap
        for part in await asyncio.gather(*(_gaps(generation, n, steps) for n in range(pictures)))
        for gap in part
    ]
    took_s = time.monotonic() - began_s
    for task in beside:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    gaps.sort()
    return {
        "p50_s": statistics.median(gaps),
        "p95_s": gaps[int(0.95 * (len(gaps) - 1))],
        "max_s": gaps[-1],
        "decoded_per_s": decoded / took_s,
    }


async def _gaps(generation: Generation, seed: int, steps: int) -> list[float]:
    """Times between the steps of one picture."""
    request = GenerationRequest(prompt="portrait of a woman", seed=seed, step_count=steps)
    times = []
    async for event in generation.generate(request, tenant="bench", token=CancellationToken()):
        if isinstance(event, StepDone):
            times.append(time.monotonic())
    return [later - earlier for earlier, later in pairwise(times)]


class _One:
    """A model store of one loaded model."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def names(self) -> tuple[str, ...]:
        return (self._model.info.name,)

    def load(self, name: str) -> Model:
        return self._model

    def close(self) -> None:
        """The model belongs to somebody else."""


if __name__ == "__main__":
    main()
