"""The product's own batcher and denoiser loop over the stand-in, in virtual time."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from loadtests.scheduler.baselines import CallCost, Outcome
from loadtests.scheduler.virtual_time import VirtualExecutor, run_virtual
from loadtests.statistics import Served
from loadtests.traffic import LoadRequest
from services.diffusion.adapters.fake import FakeModels, FakeSampler, FakeUNet
from services.diffusion.domain.adapters import Adapter, AdapterUse
from services.diffusion.domain.events import StepDone
from services.diffusion.domain.programs import DenoisingProgram, ProgramInput
from services.diffusion.domain.programs.text_to_image import text_to_image
from services.diffusion.domain.request import Guidance
from services.diffusion.domain.rows import RowBatch, TextCondition
from services.diffusion.engine.denoiser import Denoiser
from services.diffusion.engine.limits import BatchLimits, Threads
from shared.cancellation import CancellationToken

# One row per picture, as a guidance-distilled model has it, so that rows are pictures as in the curve.
_UNGUIDED = Guidance(text_scale=1.0)
_LATENT_SHAPE = (1, 2, 2)


@dataclass
class EngineOutcome(Outcome):
    """What the loop did, with the distinct adapters of each call and its own processor seconds."""

    adapters_per_call: list[int] = field(default_factory=list)
    own_s: float = 0.0


class StandInUNet(FakeUNet):
    """Charges what a call of its batch size costs; predicts zeros."""

    def __init__(self, executor: VirtualExecutor, cost: CallCost, outcome: EngineOutcome) -> None:
        super().__init__()
        self._executor = executor
        self._cost = cost
        self._outcome = outcome

    def predict(self, batch: RowBatch) -> NDArray[np.float32]:
        """Predictions float32 [B, C, h, w], all zero."""
        self._executor.charge(self._cost(len(batch.rows)))
        self._outcome.batch_sizes.append(len(batch.rows))
        names = {use.adapter.name for row in batch.rows for use in row.adapters}
        self._outcome.adapters_per_call.append(len(names))
        return np.zeros_like(batch.latents)


def step_level_batching(requests: Sequence[LoadRequest], cost: CallCost, max_batch: int) -> EngineOutcome:
    """Runs the real loop: rows of any requests share a call, new ones join at the next call."""
    outcome = EngineOutcome()
    # Time on the processor: a busy host must not look like a slow scheduler.
    began_s = time.thread_time()
    run_virtual(_serve(requests, cost, max_batch, outcome))
    outcome.own_s = time.thread_time() - began_s
    return outcome


async def _serve(
    requests: Sequence[LoadRequest], cost: CallCost, max_batch: int, outcome: EngineOutcome
) -> None:
    executor = VirtualExecutor()
    model = FakeModels(StandInUNet(executor, cost, outcome)).load("")
    limits = BatchLimits(max_rows=max_batch, max_active=max_batch, max_waiting=len(requests))
    denoiser = Denoiser(model, limits, Threads(executor, VirtualExecutor(), VirtualExecutor()))
    denoiser.start()
    await asyncio.gather(*(_one(denoiser, request, outcome) for request in requests))
    await denoiser.close()


async def _one(denoiser: Denoiser, request: LoadRequest, outcome: EngineOutcome) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(request.arrival_s)
    arrived_s, first_step_s = loop.time(), None
    run = denoiser.run(_program(request), CancellationToken())
    async with aclosing(run) as events:
        async for event in events:
            if isinstance(event, StepDone) and first_step_s is None:
                first_step_s = loop.time()
    if first_step_s is None:
        raise RuntimeError(f"request {request.index} ended without a step")
    outcome.served[request.index] = Served(arrived_s, first_step_s, loop.time())


def _program(request: LoadRequest) -> DenoisingProgram:
    text = TextCondition(np.zeros((1, 1), dtype=np.float32))
    name = f"identity-{request.identity}"
    return text_to_image(
        ProgramInput(
            sampler=FakeSampler(request.step_count, request.seed),
            latent_shape=_LATENT_SHAPE,
            prompt=text,
            negative_prompt=text,
            guidance=_UNGUIDED,
            adapters=(AdapterUse(Adapter(name, name, 0, {}), 1.0),),
        )
    )
