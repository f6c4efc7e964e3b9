"""From a request to events: choose the model, encode, load adapters, start the program, denoise, decode."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from services.diffusion.domain.adapters import AdapterMix, AdapterUse
from services.diffusion.domain.events import Decoded, Event, Generated
from services.diffusion.domain.model import Model, ModelStore
from services.diffusion.domain.ports import AdapterStore
from services.diffusion.domain.programs import DEFAULT_TECHNIQUE, TECHNIQUES, DenoisingProgram, ProgramInput
from services.diffusion.domain.request import AdapterChoice, GenerationRequest, identity_unavailable
from services.diffusion.engine.denoiser import BatchLimits, Denoiser, Threads
from services.diffusion.errors import ValueOutOfRange
from shared.cancellation import CancellationToken
from shared.telemetry import stage

# The proto promises sizes in these steps for every model, whatever its own granularity.
_SIZE_STEP_PX = 32


class Generation:
    """Generates pictures with any installed model; each model has its own denoiser, all share the threads."""

    def __init__(self, models: ModelStore, limits: BatchLimits, threads: Threads) -> None:
        self._models = models
        self._limits = limits
        self._threads = threads
        self._denoisers: dict[str, Denoiser] = {}

    async def generate(
        self, request: GenerationRequest, *, tenant: str, token: CancellationToken
    ) -> AsyncGenerator[Event]:
        """Events of one picture; the last one is Generated.

        Raises: the typed errors of errors.py; see Denoiser.run for those of the loop.
        """
        model = await self.model(request.model)
        mix = await asyncio.to_thread(load_adapters, model.adapters, request.adapters, tenant)
        loop = asyncio.get_running_loop()
        program = await loop.run_in_executor(self._threads.prepare, start_program, model, request, mix)
        digests = tuple(use.adapter.sha256 for use in mix)
        run = self._denoiser(model).run(program, token, request.preview_interval_steps)
        # Closed at once, not by the garbage collector: a caller that goes frees its rows now.
        async with aclosing(run) as events:
            async for event in events:
                if isinstance(event, Decoded):
                    yield Generated(event, request.seed, model.info.sha256, digests)
                else:
                    yield event

    async def model(self, name: str) -> Model:
        """The model *name* ("" is the default), loaded if need be. Raises: as ModelStore.load."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads.prepare, self._models.load, name)

    async def models(self) -> list[Model]:
        """All installed models, the default first."""
        return [await self.model(name) for name in self._models.names()]

    def depth(self, name: str) -> tuple[int, int]:
        """Pictures of the model *name* (taking turns, in line)."""
        return self._denoisers[name].depth if name in self._denoisers else (0, 0)

    async def close(self) -> None:
        """Stop all denoisers and the threads."""
        for denoiser in self._denoisers.values():
            await denoiser.close()
        for thread in (self._threads.unet, self._threads.decode, self._threads.prepare):
            thread.shutdown(wait=True, cancel_futures=True)

    def _denoiser(self, model: Model) -> Denoiser:
        name = model.info.name
        if name not in self._denoisers:
            self._denoisers[name] = Denoiser(model, self._limits, self._threads)
            self._denoisers[name].start()
        return self._denoisers[name]


def load_adapters(store: AdapterStore, choices: tuple[AdapterChoice, ...], tenant: str) -> AdapterMix:
    """The mix that a request asks for, in its order. Blocking."""
    mix = []
    for choice in choices:
        if choice.name:
            adapter = store.by_name(choice.name)
        else:
            adapter = store.by_artifact(choice.uri, choice.sha256, tenant=tenant)
        mix.append(AdapterUse(adapter, choice.weight))
    return tuple(mix)


def start_program(model: Model, request: GenerationRequest, mix: AdapterMix) -> DenoisingProgram:
    """Check the request against the model, encode its conditions and make its program. Blocking."""
    name = request.technique or DEFAULT_TECHNIQUE
    if name not in TECHNIQUES:
        raise ValueOutOfRange(field="technique", value=name, range=", ".join(TECHNIQUES))
    cell_px = model.codec.pixels_per_latent
    width, height = request.size_px(model.info.size_px, max(_SIZE_STEP_PX, cell_px))
    identity = null_identity = None
    if request.identity is not None:
        if model.identity is None:
            raise identity_unavailable(model.info.name)
        embedding = request.identity.mean_embedding(model.identity.dimension)
        identity, null_identity = model.identity.encode(embedding, request.identity.scale)
    with stage("diffusion", "encode"):
        prompts = (("prompt", request.prompt), ("negative_prompt", request.negative_prompt))
        prompt, negative = model.text.encode(prompts, mix, (width, height))
    return TECHNIQUES[name](
        ProgramInput(
            sampler=model.samplers.create(request.sampler, request.step_count, request.seed),
            latent_shape=(model.codec.latent_channels, height // cell_px, width // cell_px),
            prompt=prompt,
            negative_prompt=negative,
            guidance_scale=request.guidance_scale,
            identity=identity,
            null_identity=null_identity,
            adapters=mix,
        )
    )
