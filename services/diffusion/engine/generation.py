"""From a request to events: choose the model, load adapters, encode, start the program, denoise, decode."""

import asyncio
import time
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing

from services.diffusion.domain.events import Decoded, Event, Generated
from services.diffusion.domain.model import Model, ModelStore
from services.diffusion.domain.request import GenerationRequest
from services.diffusion.engine.flights import Flights
from services.diffusion.engine.limits import BatchLimits, Threads
from services.diffusion.engine.preparation import start_program
from services.diffusion.engine.studio import Studio
from services.diffusion.metrics import PICTURE_SECONDS
from shared.cancellation import CancellationToken

__all__ = ["Generation", "start_program"]


class Generation:
    """Generates pictures with any installed model; each model has its own studio, all share the threads."""

    def __init__(self, models: ModelStore, limits: BatchLimits, threads: Threads) -> None:
        self._models = models
        self._limits = limits
        self._threads = threads
        self._studios: dict[str, Studio] = {}
        self._flights = Flights()

    async def generate(
        self, request: GenerationRequest, *, tenant: str, token: CancellationToken
    ) -> AsyncGenerator[Event]:
        """Events of one picture; the last one is Generated.

        Raises: the typed errors of errors.py; see Denoiser.run for those of the loop.
        """
        began_s = time.monotonic()
        model = await self.model(request.model)
        uris = [choice.uri for choice in request.adapters if choice.uri]
        with self._flights.entered(tenant, uris, token) as flight:
            studio = self._studio(model)
            async with studio.prepared(request, tenant, flight) as take:
                prepare_s = time.monotonic() - began_s
                run = studio.denoiser.run(take.program, flight, request.preview_interval_steps, take.late)
                # Closed at once, not by the garbage collector: a caller that goes frees its rows now.
                async with aclosing(run) as events:
                    async for event in events:
                        if not isinstance(event, Decoded):
                            yield event
                            continue
                        finished = Generated(
                            event,
                            request.seed,
                            model.info.sha256,
                            take.adapter_sha256s,
                            take.adapter_first_steps(event.late_adapter_step),
                            prepare_s,
                            take.unfamiliar_words,
                        )
                        _measure(model.info.name, finished)
                        yield finished

    async def evict_adapters(self, uris: Collection[str], *, tenant: str) -> tuple[int, int]:
        """End what uses these adapters of *tenant* and drop them with all that was made of them.

        When it returns nothing of them is in memory any more. Artifacts that still exist are loaded again at
        their next use: delete them first.

        Returns:
            How many adapters were in memory, and how many pictures in flight end with UnknownAdapter.
        """
        picture_count = self._flights.end(tenant, uris)
        counts = [await studio.forget_adapters(uris, tenant) for studio in self._studios.values()]
        return sum(counts), picture_count

    async def sweep(self) -> int:
        """Evict adapters whose artifacts were deleted without a word to this process; how many."""
        count = 0
        for studio in list(self._studios.values()):
            for tenant, uri in await asyncio.to_thread(studio.model.adapters.gone):
                adapters, _ = await self.evict_adapters([uri], tenant=tenant)
                count += adapters
        return count

    async def model(self, name: str) -> Model:
        """The model *name* ("" is the default), loaded if need be. Raises: as ModelStore.load."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads.prepare, self._models.load, name)

    async def models(self) -> list[Model]:
        """All installed models, the default first."""
        return [await self.model(name) for name in self._models.names()]

    def depth(self, name: str) -> tuple[int, int]:
        """Pictures of the model *name* (taking turns, in line)."""
        return self._studios[name].denoiser.depth if name in self._studios else (0, 0)

    async def close(self) -> None:
        """Stop all studios and the threads."""
        for studio in self._studios.values():
            await studio.close()
        for thread in (self._threads.unet, self._threads.decode, self._threads.prepare):
            thread.shutdown(wait=True, cancel_futures=True)

    def _studio(self, model: Model) -> Studio:
        name = model.info.name
        if name not in self._studios:
            self._studios[name] = Studio(model, self._limits, self._threads)
        return self._studios[name]


def _measure(model: str, finished: Generated) -> None:
    picture = finished.picture
    parts = {
        "prepare": finished.prepare_time_s,
        "queue": picture.queue_time_s,
        "batch_wait": picture.batch_wait_time_s,
        "compute": picture.compute_time_s,
        "decode": picture.decode_time_s,
    }
    for part, seconds in parts.items():
        PICTURE_SECONDS.labels(model, part).observe(seconds)
