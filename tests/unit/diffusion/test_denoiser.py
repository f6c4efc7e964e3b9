"""The loop over the fake model: order of events, sharing, cancellation, isolation of failures, bounds."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

import numpy as np
import pytest

from services.diffusion.adapters.fake import FakeModels
from services.diffusion.domain.events import Event, Generated, Preview, Queued, StepDone
from services.diffusion.domain.request import AdapterChoice, GenerationRequest, IdentityChoice
from services.diffusion.engine.generation import Generation
from services.diffusion.engine.limits import BatchLimits, Threads
from services.diffusion.errors import Draining, QueueFull
from shared.cancellation import CancellationToken, Cancelled
from tests.support.gated_unet import GatedUNet, until


@pytest.fixture
async def unet() -> GatedUNet:
    return GatedUNet()


@pytest.fixture
async def generation(unet: GatedUNet) -> AsyncIterator[Generation]:
    threads = Threads(*(ThreadPoolExecutor(1) for _ in range(3)))
    generation = Generation(FakeModels(unet), BatchLimits(max_rows=4, max_active=2, max_waiting=2), threads)
    yield generation
    unet.release()
    await generation.close()


def _request(seed: int = 0, **more: object) -> GenerationRequest:
    return GenerationRequest(prompt=f"face {seed}", seed=seed, **{"step_count": 4, **more})


async def _events(
    generation: Generation, request: GenerationRequest, token: CancellationToken | None = None
) -> list[Event]:
    events = generation.generate(request, tenant="t", token=token or CancellationToken())
    return [event async for event in events]


async def test_events_come_in_order_and_end_with_the_picture(generation: Generation, unet: GatedUNet) -> None:
    unet.release()

    events = await _events(generation, _request(preview_interval_steps=2))

    kinds = [type(event) for event in events]
    assert [Queued, StepDone, StepDone, Preview, StepDone, StepDone, Generated] == kinds
    assert [event.step for event in events if isinstance(event, StepDone)] == [1, 2, 3, 4]
    assert events[-1].picture.image.shape == (64, 64, 3)


async def test_a_picture_alone_equals_the_same_picture_in_company(
    generation: Generation, unet: GatedUNet
) -> None:
    unet.release()
    embedding = np.ones(128, np.float32)
    rich = _request(
        7, adapters=(AdapterChoice(name="lora-a", weight=0.5),), identity=IdentityChoice((embedding,))
    )
    alone = (await _events(generation, rich))[-1]
    unet.batches.clear()

    # Held until both take turns: a fast fake could be done with one before the other is prepared.
    unet.gate = asyncio.Semaphore(0)
    requests = (rich, _request(8, step_count=9, guidance_scale=1.0))
    tasks = [asyncio.create_task(_events(generation, request)) for request in requests]
    await until(lambda: generation.depth("fake") == (2, 0))
    tasks.append(asyncio.create_task(_events(generation, _request(9, width_px=128))))
    unet.release()
    together = await asyncio.gather(*tasks)

    np.testing.assert_array_equal(alone.picture.image, together[0][-1].picture.image)
    assert max(len(batch.rows) for batch in unet.batches) == 3, "2 guided rows and 1 unguided share a call"


async def test_a_cancelled_token_frees_the_rows_before_the_next_call(
    generation: Generation, unet: GatedUNet
) -> None:
    token = CancellationToken()
    doomed = asyncio.create_task(_events(generation, _request(1, step_count=50), token))
    stays = asyncio.create_task(_events(generation, _request(2)))
    unet.release(3)
    await until(lambda: len(unet.batches) == 3)

    token.cancel()
    with pytest.raises(Cancelled):
        await doomed
    seen = len(unet.batches)
    unet.release()
    await stays

    # The call that was in flight may still carry the cancelled rows, no later one does.
    assert all(len(batch.rows) == 2 for batch in unet.batches[seen + 1 :])
    assert len(unet.batches) < 10


async def test_a_caller_that_goes_frees_its_rows(generation: Generation, unet: GatedUNet) -> None:
    unet.release(2)
    events = generation.generate(_request(step_count=50), tenant="t", token=CancellationToken())
    async with aclosing(events):
        async for event in events:
            if isinstance(event, StepDone):
                break
    unet.release()
    await asyncio.sleep(0.05)

    assert len(unet.batches) <= 3


async def test_the_line_is_bounded_and_tells_when_to_come_back(
    generation: Generation, unet: GatedUNet
) -> None:
    tasks = [asyncio.create_task(_events(generation, _request(seed))) for seed in range(4)]
    await until(lambda: unet.loop is not None and sum(generation.depth("fake")) == 4)

    with pytest.raises(QueueFull) as caught:
        await _events(generation, _request(9))

    assert caught.value.retry_after_s >= 0.5
    # Refused before anything is done for it: not even its adapter is looked up.
    with pytest.raises(QueueFull):
        await _events(generation, _request(9, adapters=(AdapterChoice(name="unknown"),)))
    unet.release()
    results = await asyncio.gather(*tasks)
    positions = [[event.ahead_count for event in events if isinstance(event, Queued)] for events in results]
    assert positions == [[0], [0], [0], [1, 0]]


async def test_a_failing_row_fails_its_picture_alone(generation: Generation, unet: GatedUNet) -> None:
    unet.poison = 200.0  # a timestep that only five-step pictures visit
    unet.release()

    poisoned, fine = await asyncio.gather(
        _events(generation, _request(1, step_count=5)),
        _events(generation, _request(2, step_count=4)),
        return_exceptions=True,
    )

    assert isinstance(poisoned, RuntimeError)
    assert isinstance(fine[-1], Generated)


async def test_closing_fails_what_is_not_finished_as_draining(
    generation: Generation, unet: GatedUNet
) -> None:
    task = asyncio.create_task(_events(generation, _request(step_count=50)))
    unet.release(1)
    await until(lambda: unet.batches)
    closing = asyncio.create_task(generation.close())
    unet.release(1)

    with pytest.raises(Draining):
        await task
    await closing


async def test_the_same_request_gives_the_same_picture_and_another_seed_another(
    generation: Generation, unet: GatedUNet
) -> None:
    unet.release()
    first, again, other = [(await _events(generation, _request(s)))[-1].picture.image for s in (1, 1, 2)]

    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
