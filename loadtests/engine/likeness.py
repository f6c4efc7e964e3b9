"""Our engine in process: the product's own composition, without gRPC around it."""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

from loadtests.engine.adapters import IDENTITY_WEIGHT, STYLE_WEIGHT, TENANT, AdapterFiles
from loadtests.engine.load import Timeline
from loadtests.engine.observe import ObservedModels
from loadtests.engine.prompts import GUIDANCE_SCALE, prompt_of
from loadtests.traffic import LoadRequest
from services.diffusion.bootstrap import build_generation, build_models
from services.diffusion.domain.adapters import AdapterMix, AdapterUse
from services.diffusion.domain.events import Generated, Image, StepDone
from services.diffusion.domain.model import Model
from services.diffusion.domain.request import AdapterChoice, GenerationRequest
from services.diffusion.domain.rows import RowBatch
from services.diffusion.settings import DiffusionSettings
from shared.artifacts import ArtifactStore
from shared.cancellation import CancellationToken

# Overload shall show as latency, as it does for the baselines, not as refusals.
_MAX_WAITING = 4096


class LikenessEngine:
    """Serves requests through the engine; `made` keeps where each picture's time went."""

    def __init__(
        self,
        backend: str,
        weights: Path,
        store: ArtifactStore,
        files: AdapterFiles,
        *,
        size_px: int | None = None,
        is_observed: bool = True,
    ) -> None:
        name, _, precision = backend.partition("-")
        given: dict[str, Any] = {"backend": name, "precision": precision or "f32"}
        settings = DiffusionSettings(**given, models={"bench": weights}, max_waiting_images=_MAX_WAITING)
        self._models = build_models(settings, store)
        self.observed = ObservedModels(self._models)
        self._generation = build_generation(settings, self.observed if is_observed else self._models)
        self._files = files
        self._size_px = size_px
        self._max_rows = settings.max_rows
        self.made: list[Generated] = []

    @property
    def model(self) -> Model:
        """The model itself, not watched."""
        return self._models.load("")

    async def serve(self, request: LoadRequest, timeline: Timeline) -> None:
        """See System."""
        await self.picture(request, timeline)

    async def picture(self, request: LoadRequest, timeline: Timeline) -> Image:
        """Makes one picture and returns it."""
        events = self._generation.generate(self._request(request), tenant=TENANT, token=CancellationToken())
        async with aclosing(events):
            async for event in events:
                if isinstance(event, StepDone):
                    timeline.step_done()
                if isinstance(event, Generated):
                    self.made.append(event)
                    return event.picture.image
        raise RuntimeError("the engine ended without a picture")

    async def first_step(self, request: LoadRequest, timeline: Timeline) -> None:
        """Asks for a picture and goes away after its first step."""
        events = self._generation.generate(self._request(request), tenant=TENANT, token=CancellationToken())
        async with aclosing(events):
            async for event in events:
                if isinstance(event, StepDone):
                    timeline.step_done()
                    return

    async def warm_up(self, requests: Sequence[LoadRequest]) -> None:
        """Loads every adapter, makes *requests*, and calls the UNet once with each number of rows."""
        await self._generation.model("")
        for uri in self._files.identities + self._files.styles:
            self.model.adapters.by_artifact(uri, "", tenant=TENANT)
        for request in requests:
            await self.picture(request, Timeline())
        for count in range(1, self._max_rows + 1):
            self.model.unet.predict(self.batch([requests[0]] * count))
        self.forget()

    def batch(self, requests: Sequence[LoadRequest], adapter_count: int = 2) -> RowBatch:
        """Returns one row per request with its first so many adapters; the rest is a row's served before."""
        row = self.observed.last_row()
        return RowBatch.of([replace(row, adapters=self.mix(request)[:adapter_count]) for request in requests])

    def mix(self, request: LoadRequest) -> AdapterMix:
        """Returns the request's adapters as the engine looks them up; a new object each time."""
        adapters = self.model.adapters
        return tuple(
            AdapterUse(adapters.by_artifact(choice.uri, "", tenant=TENANT), choice.weight)
            for choice in self._choices(request)
        )

    def forget(self) -> None:
        """Begins the observations anew."""
        self.made.clear()
        self.observed.forget()

    async def close(self) -> None:
        """Ends the engine's threads."""
        await self._generation.close()

    def _choices(self, request: LoadRequest) -> tuple[AdapterChoice, ...]:
        """The request's identity and style."""
        return (
            AdapterChoice(uri=self._files.identities[request.identity], weight=IDENTITY_WEIGHT),
            AdapterChoice(uri=self._files.styles[request.style], weight=STYLE_WEIGHT),
        )

    def _request(self, request: LoadRequest) -> GenerationRequest:
        return GenerationRequest(
            prompt=prompt_of(request),
            width_px=self._size_px,
            height_px=self._size_px,
            step_count=request.step_count,
            guidance_scale=GUIDANCE_SCALE,
            seed=request.seed,
            adapters=self._choices(request),
        )
