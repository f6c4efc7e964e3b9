"""A program's search for its region is off the loop: others go on, failing and cancelling is its alone."""

import asyncio
import dataclasses
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from services.diffusion.adapters.fake import FakeModels, FakeRegions, FakeUNet
from services.diffusion.domain.events import Event, Generated, Preview, StepDone
from services.diffusion.domain.model import Model
from services.diffusion.domain.request import GenerationRequest, IdentityChoice, Injection, SourceChoice
from services.diffusion.engine.generation import Generation
from services.diffusion.engine.limits import BatchLimits, Threads
from services.diffusion.errors import Draining
from shared.cancellation import CancellationToken, Cancelled


class GatedRegions(FakeRegions):
    """Waits before it answers; fails if told to."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.asked = threading.Event()
        self.error: Exception | None = None

    def find(self, with_identity: np.ndarray, without_identity: np.ndarray) -> np.ndarray:
        self.asked.set()
        assert self.gate.wait(timeout=20)
        if self.error is not None:
            raise self.error
        return super().find(with_identity, without_identity)


class Models(FakeModels):
    """The fake model with other regions."""

    def __init__(self, unet: FakeUNet, regions: GatedRegions) -> None:
        super().__init__(unet)
        self._regions = regions

    def load(self, name: str) -> Model:
        return dataclasses.replace(super().load(name), regions=self._regions)


@pytest.fixture
def unet() -> FakeUNet:
    return FakeUNet()


@pytest.fixture
def regions() -> GatedRegions:
    return GatedRegions()


@pytest.fixture
async def generation(unet: FakeUNet, regions: GatedRegions) -> AsyncIterator[Generation]:
    threads = Threads(*(ThreadPoolExecutor(1) for _ in range(3)))
    limits = BatchLimits(max_rows=8, max_active=2, max_waiting=2)
    made = Generation(Models(unet, regions), limits, threads)
    yield made
    regions.gate.set()
    await made.close()


_LATE = GenerationRequest(
    "a face",
    step_count=6,
    technique="late_injection",
    identity=IdentityChoice((np.ones(128, np.float32),)),
    injection=Injection(start_share=0.5),
    preview_interval_steps=1,
)


def _start(
    generation: Generation, request: GenerationRequest, token: CancellationToken | None = None
) -> tuple["asyncio.Task[None]", list[Event]]:
    events: list[Event] = []

    async def listen() -> None:
        async for event in generation.generate(request, tenant="t", token=token or CancellationToken()):
            events.append(event)

    return asyncio.create_task(listen()), events


async def _asked(regions: GatedRegions) -> None:
    assert await asyncio.to_thread(regions.asked.wait, 20)


async def test_other_pictures_take_steps_while_one_looks_for_its_region(
    generation: Generation, regions: GatedRegions
) -> None:
    late, late_events = _start(generation, _LATE)
    await _asked(regions)

    other, other_events = _start(generation, GenerationRequest("b", step_count=30))
    async with asyncio.timeout(20):
        while sum(isinstance(event, StepDone) for event in other_events) < 30:
            await asyncio.sleep(0.01)

    # Three steps without the person, the first one with it, and then the search.
    assert [event.step for event in late_events if isinstance(event, StepDone)] == [1, 2, 3, 4]
    regions.gate.set()
    await asyncio.gather(late, other)
    assert [event.step for event in late_events if isinstance(event, StepDone)] == [1, 2, 3, 4, 5, 6]
    assert [event.step for event in late_events if isinstance(event, Preview)] == [1, 2, 3, 4, 5]
    assert isinstance(late_events[-1], Generated)


async def test_rows_grow_by_the_person_once_it_is_there(
    generation: Generation, unet: FakeUNet, regions: GatedRegions
) -> None:
    regions.gate.set()
    task, _ = _start(generation, _LATE)
    await task

    assert unet.batch_sizes == [2, 2, 2, 3, 3, 3]


async def test_a_failing_search_fails_its_picture_alone(
    generation: Generation, regions: GatedRegions
) -> None:
    regions.error = RuntimeError("no parser today")
    late, _ = _start(generation, _LATE)
    await _asked(regions)
    other, other_events = _start(generation, GenerationRequest("b", step_count=3))
    regions.gate.set()

    with pytest.raises(RuntimeError, match="no parser today"):
        await late
    await other
    assert isinstance(other_events[-1], Generated)


async def test_cancelling_during_the_search_frees_the_place(
    generation: Generation, regions: GatedRegions
) -> None:
    token = CancellationToken()
    late, _ = _start(generation, _LATE, token)
    await _asked(regions)

    token.cancel()
    with pytest.raises(Cancelled):
        await asyncio.wait_for(late, timeout=5)

    assert generation.depth("fake") == (0, 0)
    regions.gate.set()
    after, events = _start(generation, GenerationRequest("b", step_count=2))
    await after
    assert isinstance(events[-1], Generated)


async def test_closing_waits_for_a_search_and_leaves_nothing_behind(
    generation: Generation, regions: GatedRegions
) -> None:
    late, _ = _start(generation, _LATE)
    await _asked(regions)
    closing = asyncio.create_task(generation.close())
    await asyncio.sleep(0.05)
    regions.gate.set()

    await closing
    with pytest.raises(Draining):
        await late


async def test_a_pixel_finish_reaches_the_picture(generation: Generation) -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    mask = np.zeros_like(image)
    mask[:32] = 255
    request = GenerationRequest(
        "a face", step_count=4, technique="inpaint", source=SourceChoice(image, 1.0, mask, feather_px=8)
    )

    task, events = _start(generation, request)
    await task

    picture = events[-1].picture.image
    np.testing.assert_array_equal(picture[40:], image[40:])
    assert (picture[:32] != image[:32]).any()
