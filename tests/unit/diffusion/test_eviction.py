"""Deleting a person: pictures in flight end, nothing of the adapter stays in memory, others go on."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.diffusion.domain.events import Event, Generated, StepDone
from services.diffusion.domain.request import AdapterChoice, GenerationRequest
from services.diffusion.engine.generation import Generation
from services.diffusion.engine.limits import BatchLimits
from services.diffusion.errors import UnknownAdapter
from shared.artifacts import ArtifactStore, open_store
from shared.cancellation import CancellationToken, Cancelled
from tests.support.tiny_models import engine, make_folder, on_backend

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("eviction") / "tiny")


@pytest.fixture
def store() -> ArtifactStore:
    return open_store("memory://eviction")


@pytest.fixture(params=["torch", "onnxruntime"])
def model(request: pytest.FixtureRequest, folder: Path, store: ArtifactStore) -> Any:
    return on_backend(folder, request.param, store)


@pytest.fixture
async def generation(model: Any) -> AsyncIterator[Generation]:
    async with engine(model, BatchLimits(max_rows=8, max_active=4, max_waiting=2)) as running:
        yield running


def _put(folder: Path, store: ArtifactStore, name: str, tenant: str = "alice") -> str:
    data = (folder / "adapters" / f"{name}.safetensors").read_bytes()
    return store.put(data, tenant=tenant, media_type="x").uri


def _request(uri: str, steps: int = 100) -> GenerationRequest:
    return GenerationRequest(
        prompt="face", step_count=steps, width_px=32, height_px=32, adapters=(AdapterChoice(uri=uri),)
    )


async def _draw(
    generation: Generation,
    request: GenerationRequest,
    tenant: str,
    begun: asyncio.Event,
    token: CancellationToken | None = None,
) -> list[Event]:
    events = []
    async for event in generation.generate(request, tenant=tenant, token=token or CancellationToken()):
        events.append(event)
        if isinstance(event, StepDone):
            begun.set()
    return events


async def test_pictures_in_flight_end_and_nothing_stays_in_memory(
    generation: Generation, model: Any, folder: Path, store: ArtifactStore
) -> None:
    gone, stays = _put(folder, store, "person"), _put(folder, store, "other")
    begun = [asyncio.Event(), asyncio.Event()]
    doomed = asyncio.create_task(_draw(generation, _request(gone), "alice", begun[0]))
    other = asyncio.create_task(_draw(generation, _request(stays, steps=6), "alice", begun[1]))
    await asyncio.gather(*(each.wait() for each in begun))
    before = model.adapters.held_bytes

    store.delete(gone, tenant="alice")
    counts = await generation.evict_adapters([gone], tenant="alice")

    assert counts == (1, 1)
    assert model.adapters.held_bytes < before
    with pytest.raises(UnknownAdapter):
        await doomed
    assert isinstance((await other)[-1], Generated)
    with pytest.raises(UnknownAdapter):
        await _draw(generation, _request(gone, steps=1), "alice", asyncio.Event())
    await generation.evict_adapters([stays], tenant="alice")
    shipped = sum(model.adapters.by_name(info.name).held_bytes for info in model.adapters.shipped())
    assert model.unet.held_adapter_bytes == 0, "no packed form is left"
    assert model.adapters.held_bytes == shipped


async def test_another_tenants_word_ends_nothing(
    generation: Generation, folder: Path, store: ArtifactStore
) -> None:
    uri = _put(folder, store, "person")
    begun = asyncio.Event()
    picture = asyncio.create_task(_draw(generation, _request(uri, steps=5), "alice", begun))
    await begun.wait()

    assert await generation.evict_adapters([uri], tenant="bob") == (0, 0)

    assert isinstance((await picture)[-1], Generated)


async def test_a_cancelled_picture_is_cancelled_though_its_adapter_goes_as_well(
    generation: Generation, folder: Path, store: ArtifactStore
) -> None:
    uri, token, begun = _put(folder, store, "person"), CancellationToken(), asyncio.Event()
    picture = asyncio.create_task(_draw(generation, _request(uri), "alice", begun, token))
    await begun.wait()

    token.cancel()
    await generation.evict_adapters([uri], tenant="alice")

    with pytest.raises(Cancelled):
        await picture


async def test_the_sweep_finds_what_was_deleted_without_a_word(
    generation: Generation, model: Any, folder: Path, store: ArtifactStore
) -> None:
    gone, stays = _put(folder, store, "person"), _put(folder, store, "other")
    begun = asyncio.Event()
    await _draw(generation, _request(stays, steps=1), "alice", asyncio.Event())
    doomed = asyncio.create_task(_draw(generation, _request(gone), "alice", begun))
    await begun.wait()
    assert await generation.sweep() == 0
    store.delete(gone, tenant="alice")

    assert await generation.sweep() == 1

    with pytest.raises(UnknownAdapter):
        await doomed
    assert model.adapters.gone() == []
    store.delete(stays, tenant="alice")
