"""A picture alone and among strangers, through the whole engine and real (tiny) networks, on each backend."""

import asyncio
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.diffusion.domain.events import Generated, StepDone
from services.diffusion.domain.model import Model
from services.diffusion.domain.request import (
    AdapterChoice,
    GenerationRequest,
    IdentityChoice,
    SourceChoice,
)
from services.diffusion.engine.generation import Generation
from services.diffusion.engine.limits import BatchLimits
from shared.artifacts import open_store
from shared.cancellation import CancellationToken
from tests.support.tiny_models import BACKENDS, engine, make_folder, on_backend

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

# Latents differ by this much on torch, whose kernels depend on the size of the batch; steps and guidance add
# up what the UNet's batch_tolerance of 1e-4 allows for one row.
_TORCH_TOLERANCE = 1e-3


class Recorder:
    """A codec that keeps the latents it decodes, by their picture."""

    def __init__(self, codec: Any) -> None:
        self._codec = codec
        self.latents: dict[bytes, np.ndarray] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codec, name)

    def decode_batch(self, latents: Sequence[np.ndarray]) -> list[np.ndarray]:
        images = self._codec.decode_batch(latents)
        for image, each in zip(images, latents, strict=True):
            self.latents[image.tobytes()] = each
        return images


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("company") / "tiny")


@pytest.fixture(scope="module", params=BACKENDS)
def model(request: pytest.FixtureRequest, folder: Path) -> Model:
    loaded = on_backend(folder, request.param, open_store("memory://company"))
    return dataclasses.replace(loaded, codec=Recorder(loaded.codec))


def _mix(**weights: float) -> tuple[AdapterChoice, ...]:
    return tuple(AdapterChoice(name=name, weight=weight) for name, weight in weights.items())


def _person(seed: int, scale: float = 1.0) -> IdentityChoice:
    return IdentityChoice((np.random.default_rng(seed).standard_normal(128).astype(np.float32),), scale)


def _source(masked: bool) -> SourceChoice:
    image = np.random.default_rng(5).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    mask = np.zeros_like(image)
    mask[16:48, 16:48] = 255
    return SourceChoice(image, 0.9, mask if masked else None, feather_px=4)


def _request(seed: int, **more: Any) -> GenerationRequest:
    given = {"step_count": 3, "guidance_scale": 3.0, "width_px": 32, "height_px": 32} | more
    return GenerationRequest(prompt=f"face {seed}", seed=seed, **given)


_STRANGERS = [
    _request(1, adapters=_mix(person=0.8), sampler="ddim"),
    _request(2, adapters=_mix(style=0.6), sampler="dpmpp_2m", step_count=5),
    _request(3, adapters=_mix(other=1.2, style=-0.5), identity=_person(1), sampler="euler"),
    _request(4, guidance_scale=1.0, step_count=6, sampler="unipc"),
    _request(
        5,
        technique="image_to_image",
        width_px=64,
        height_px=64,
        source=_source(masked=False),
        adapters=_mix(person=0.3),
    ),
    _request(
        6,
        technique="inpaint",
        width_px=64,
        height_px=64,
        source=_source(masked=True),
        identity=_person(2, 0.5),
    ),
    _request(7, technique="late_injection", identity=_person(3), adapters=_mix(style=1.0), sampler="ddim"),
    _request(8, width_px=64, adapters=_mix(other=0.7), identity=_person(4), sampler="ddim"),
    _request(9, guidance_interval=(0.25, 0.75), sampler="euler_ancestral", adapters=_mix(person=1, other=1)),
]


async def _picture(generation: Generation, request: GenerationRequest) -> tuple[Generated, list[int]]:
    events = [e async for e in generation.generate(request, tenant="t", token=CancellationToken())]
    assert isinstance(events[-1], Generated)
    return events[-1], [event.batch_row_count for event in events if isinstance(event, StepDone)]


async def test_a_picture_among_strangers_equals_itself_alone(model: Model) -> None:
    """Other adapters, steps, samplers, techniques, sizes, guidance; rows of one step split over two calls."""
    recorder: Any = model.codec
    async with engine(model, BatchLimits(max_rows=5, max_active=16, max_waiting=16)) as generation:
        alone = [(await _picture(generation, request))[0] for request in _STRANGERS]
        alone_latents = sorted(each.tobytes() for each in recorder.latents.values())
        kept = dict(recorder.latents)
        recorder.latents.clear()
        together = await asyncio.gather(*(_picture(generation, request) for request in _STRANGERS))

    assert max(max(rows) for _, rows in together) == 5, "they did share calls"
    for one, (shared, _) in zip(alone, together, strict=True):
        if model.unet.batch_tolerance == 0:
            np.testing.assert_array_equal(one.picture.image, shared.picture.image)
        else:
            assert np.abs(one.picture.image.astype(int) - shared.picture.image).max() <= 1
    shared_latents = sorted(each.tobytes() for each in recorder.latents.values())
    if model.unet.batch_tolerance == 0:
        assert alone_latents == shared_latents, "bit for bit, before rounding to grey levels too"
    else:
        _check_close(list(kept.values()), list(recorder.latents.values()))


def _check_close(alone: list[np.ndarray], together: list[np.ndarray]) -> None:
    """Every picture's latents have their like; which is whose does not matter, they are far apart."""
    for one in alone:
        same_shape = [other for other in together if other.shape == one.shape]
        assert min(np.abs(one - other).max() for other in same_shape) <= _TORCH_TOLERANCE


async def test_the_third_picture_of_a_b_a_equals_the_first(model: Model) -> None:
    """What refitted engines get wrong: after B, A's picture is A's again, to the last bit."""
    a, b = (
        _request(1, adapters=_mix(**{name: 1.0}), identity=_person(k))
        for k, name in enumerate(("person", "other"))
    )
    async with engine(model, BatchLimits(max_rows=16, max_active=4, max_waiting=0)) as generation:
        first, between, third = [(await _picture(generation, request))[0] for request in (a, b, a)]

    np.testing.assert_array_equal(first.picture.image, third.picture.image)
    assert (first.picture.image != between.picture.image).any()


async def test_the_text_encoder_and_its_memory_do_not_leak_between_requests(model: Model) -> None:
    """The second time the prompts come from memory, in other company: nothing changes."""
    async with engine(model, BatchLimits(max_rows=4, max_active=8, max_waiting=8)) as generation:
        first = await asyncio.gather(*(_picture(generation, request) for request in _STRANGERS[:4]))
        again = [(await _picture(generation, request))[0] for request in _STRANGERS[:4]]

    for (one, _), other in zip(first, again, strict=True):
        tolerance = 0 if model.unet.batch_tolerance == 0 else 1
        assert np.abs(one.picture.image.astype(int) - other.picture.image).max() <= tolerance
