"""Adapters that are loaded while the first steps run, where the request allows it."""

import asyncio
import dataclasses
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from services.diffusion.adapters.fake import FakeAdapters, FakeModels
from services.diffusion.domain.adapters import Adapter, LoraLayer
from services.diffusion.domain.events import Event, Generated, StepDone
from services.diffusion.domain.request import AdapterChoice, GenerationRequest
from services.diffusion.engine.generation import Generation
from services.diffusion.engine.limits import BatchLimits, Threads
from services.diffusion.errors import AdapterIncompatible, Draining
from shared.cancellation import CancellationToken, Cancelled
from tests.support.gated_unet import GatedUNet, until

_LATE = "artifacts/t/late"
_LAYER = LoraLayer(np.ones((1, 2), np.float32), np.ones((2, 1), np.float32))


class SlowAdapters(FakeAdapters):
    """Artifacts take until the test says so; "...broken" fails then, "...text" changes prompts."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def by_artifact(self, uri: str, sha256: str, *, tenant: str) -> Adapter:
        assert self.go.wait(timeout=20)
        if uri.endswith("broken"):
            raise AdapterIncompatible(adapter=uri, cause="it is broken")
        layers = {"text_encoder.a": _LAYER} if uri.endswith("text") else {}
        return Adapter(uri, "ab" * 32, 0, layers)


@pytest.fixture
async def unet() -> GatedUNet:
    return GatedUNet()


@pytest.fixture
def adapters() -> SlowAdapters:
    return SlowAdapters()


@pytest.fixture
async def generation(unet: GatedUNet, adapters: SlowAdapters) -> AsyncIterator[Generation]:
    models = FakeModels(unet)
    models._model = dataclasses.replace(models.load(""), adapters=adapters)
    threads = Threads(*(ThreadPoolExecutor(1) for _ in range(3)))
    generation = Generation(models, BatchLimits(max_rows=8, max_active=4, max_waiting=2), threads)
    yield generation
    adapters.go.set()
    unet.release()
    await generation.close()


def _request(*uris: str, steps: int = 10, allowed: bool = True) -> GenerationRequest:
    return GenerationRequest(
        prompt="face",
        step_count=steps,
        guidance_scale=1.0,
        adapters=tuple(AdapterChoice(uri=uri) if "/" in uri else AdapterChoice(name=uri) for uri in uris),
        may_start_without_adapters=allowed,
    )


async def _events(
    generation: Generation, request: GenerationRequest, token: CancellationToken | None = None
) -> list[Event]:
    events = generation.generate(request, tenant="t", token=token or CancellationToken())
    return [event async for event in events]


async def _late_ones(generation: Generation) -> None:
    """Wait until the only picture's late adapters are there, and its prompts as they read them."""
    (ticket,) = generation._studios["fake"].denoiser._batcher.active
    await until(ticket.owner.late.arrival.done)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in memory is never late, however busy the machine; the rest comes when the test says so."""
    monkeypatch.setattr("services.diffusion.engine.studio._AT_ONCE_S", 1.0)


def _names(unet: GatedUNet) -> list[list[str]]:
    """Adapters of each call's only row."""
    return [[use.adapter.name for use in batch.rows[0].adapters] for batch in unet.batches]


async def test_without_leave_the_first_step_waits(
    generation: Generation, unet: GatedUNet, adapters: SlowAdapters
) -> None:
    unet.release()
    picture = asyncio.create_task(_events(generation, _request(_LATE, allowed=False)))
    await asyncio.sleep(0.1)
    assert unet.batches == []

    adapters.go.set()
    finished = (await picture)[-1]

    assert finished.adapter_first_steps == (1,)
    assert _names(unet) == [[_LATE]] * 10


async def test_with_leave_the_first_steps_run_without_it_and_the_result_says_so(
    generation: Generation, unet: GatedUNet, adapters: SlowAdapters, patient: None
) -> None:
    unet.release(1)
    picture = asyncio.create_task(_events(generation, _request("lora-a", _LATE)))
    await until(lambda: unet.at_gate == 2)
    adapters.go.set()
    await _late_ones(generation)
    unet.release()
    finished = (await picture)[-1]

    # The second call was under way, at the gate, when the adapter arrived.
    assert _names(unet) == [["lora-a"]] * 2 + [["lora-a", _LATE]] * 8
    assert finished.adapter_first_steps == (1, 3)
    assert [len(digest) for digest in finished.adapter_sha256s] == [64, 64]


async def test_after_a_fifth_of_the_steps_the_picture_waits_and_others_go_on(
    generation: Generation, unet: GatedUNet, adapters: SlowAdapters
) -> None:
    unet.release()
    picture = asyncio.create_task(_events(generation, _request(_LATE, steps=15)))
    await until(lambda: len(unet.batches) == 3)
    await asyncio.sleep(0.05)
    assert len(unet.batches) == 3

    other = await _events(generation, _request(steps=5))
    assert isinstance(other[-1], Generated)
    adapters.go.set()
    events = await picture

    assert events[-1].adapter_first_steps == (4,)
    assert [event.step for event in events if isinstance(event, StepDone)] == list(range(1, 16))


async def test_what_comes_late_joins_all_rows_and_the_persons_adapter_stays_in_its_own(
    generation: Generation, unet: GatedUNet, adapters: SlowAdapters, patient: None
) -> None:
    unet.release(1)
    choices = (
        AdapterChoice(name="lora-person", of_person=True),
        AdapterChoice(name="lora-look"),
        AdapterChoice(uri=_LATE),
    )
    request = dataclasses.replace(
        _request(), guidance_scale=3.0, identity_guidance_scale=4.0, adapters=choices
    )
    picture = asyncio.create_task(_events(generation, request))
    await until(lambda: unet.at_gate == 2)
    adapters.go.set()
    await _late_ones(generation)
    unet.release()
    await picture

    calls = [[[use.adapter.name for use in row.adapters] for row in call.rows] for call in unet.batches]
    others, person = ["lora-look"], ["lora-person", "lora-look"]
    assert calls[:2] == [[others, others, person]] * 2
    assert calls[2:] == [[[*others, _LATE], [*others, _LATE], [*person, _LATE]]] * 8


async def test_what_is_in_memory_takes_part_from_the_first_step(
    generation: Generation, unet: GatedUNet, adapters: SlowAdapters, patient: None
) -> None:
    adapters.go.set()
    unet.release()

    waited = (await _events(generation, _request(_LATE, allowed=False)))[-1]
    allowed = (await _events(generation, _request(_LATE)))[-1]

    assert allowed.adapter_first_steps == (1,)
    np.testing.assert_array_equal(waited.picture.image, allowed.picture.image)


async def test_few_steps_wait_from_the_start(
    generation: Generation, unet: GatedUNet, adapters: SlowAdapters
) -> None:
    unet.release()
    picture = asyncio.create_task(_events(generation, _request(_LATE, steps=4)))
    await asyncio.sleep(0.1)
    assert unet.batches == []

    adapters.go.set()
    assert (await picture)[-1].adapter_first_steps == (1,)


async def test_a_late_adapter_changes_the_prompt_too_where_it_has_layers_for_it(
    generation: Generation, unet: GatedUNet, adapters: SlowAdapters
) -> None:
    unet.release(1)
    picture = asyncio.create_task(_events(generation, _request("artifacts/t/text")))
    await until(lambda: unet.at_gate == 2)
    adapters.go.set()
    await _late_ones(generation)
    unet.release()
    await picture

    texts = [batch.rows[0].text for batch in unet.batches]
    assert texts[0] is texts[1]
    assert texts[2] is not texts[1], "encoded again, with the adapter"
    assert all(text is texts[2] for text in texts[2:])


async def test_a_late_adapter_that_cannot_be_applied_fails_its_picture_alone(
    generation: Generation, unet: GatedUNet, adapters: SlowAdapters
) -> None:
    unet.release()
    broken = asyncio.create_task(_events(generation, _request("artifacts/t/broken")))
    await until(lambda: len(unet.batches) == 2)
    adapters.go.set()

    with pytest.raises(AdapterIncompatible, match="it is broken"):
        await broken
    assert isinstance((await _events(generation, _request()))[-1], Generated)


async def test_a_picture_that_waits_for_its_adapter_can_be_cancelled(
    generation: Generation, unet: GatedUNet, adapters: SlowAdapters
) -> None:
    unet.release()
    token = CancellationToken()
    picture = asyncio.create_task(_events(generation, _request(_LATE), token))
    await until(lambda: len(unet.batches) == 2)

    token.cancel()

    with pytest.raises(Cancelled):
        await picture
    assert generation.depth("fake") == (0, 0)


async def test_closing_does_not_wait_for_adapters(
    generation: Generation, unet: GatedUNet, adapters: SlowAdapters
) -> None:
    unet.release()
    picture = asyncio.create_task(_events(generation, _request(_LATE)))
    await until(lambda: len(unet.batches) == 2)
    await asyncio.sleep(0.05)

    async with asyncio.timeout(5):
        await generation.close()

    with pytest.raises(Draining):
        await picture
