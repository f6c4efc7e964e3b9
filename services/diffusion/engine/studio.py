"""One model at work: its prompts, its adapters, its denoiser."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from services.diffusion.domain.adapters import AdapterMix, AdapterUse, text_part, without_person
from services.diffusion.domain.model import Model
from services.diffusion.domain.programs import DenoisingProgram
from services.diffusion.domain.request import GenerationRequest
from services.diffusion.domain.rows import TextCondition
from services.diffusion.engine.denoiser import Denoiser
from services.diffusion.engine.late import LateAdapters, StartMix, Upgrade, free_step_count
from services.diffusion.engine.limits import BatchLimits, Threads
from services.diffusion.engine.preparation import (
    Encoded,
    load_adapter,
    prompts_of,
    source_image,
    start_program,
    technique_of,
    unfamiliar_words,
)
from services.diffusion.engine.prompts import PromptEncoder
from shared.cancellation import CancellationToken

Loads = Sequence["asyncio.Task[AdapterUse]"]

# What is in memory is there by then; only what has to be fetched comes late.
_AT_ONCE_S = 0.05


@dataclass(frozen=True, eq=False)
class Take:
    """One picture, ready to be denoised."""

    program: DenoisingProgram
    late: LateAdapters | None
    loads: Loads
    is_late: tuple[bool, ...]
    unfamiliar_words: tuple[str, ...] = ()

    @property
    def adapter_sha256s(self) -> tuple[str, ...]:
        """Digests of the adapters' files, in the request's order; once all are loaded."""
        return tuple(load.result().adapter.sha256 for load in self.loads)

    def adapter_first_steps(self, late_step: int) -> tuple[int, ...]:
        """The first step (from 1) for which each adapter was loaded: *late_step* for those that came late."""
        return tuple(late_step if is_late else 1 for is_late in self.is_late)


class Studio:
    """Prepares and denoises pictures of one model. Belongs to one event loop."""

    def __init__(self, model: Model, limits: BatchLimits, threads: Threads) -> None:
        self.model = model
        self._threads = threads
        self._prompts = PromptEncoder(model.info.name, model.text, threads.prepare)
        self.denoiser = Denoiser(model, limits, threads)
        self.denoiser.start()

    @asynccontextmanager
    async def prepared(
        self, request: GenerationRequest, tenant: str, token: CancellationToken
    ) -> AsyncIterator[Take]:
        """Load, encode and check; within this context adapters may still be on their way.

        Raises: QueueFull, Draining; UnknownAdapter, AdapterIncompatible, PromptTooLong, ValueOutOfRange,
            CapabilityUnavailable.
        """
        self.denoiser.check_room()
        technique_of(request)
        prompts_of(self.model, request)
        adapters = self.model.adapters
        loads = [
            asyncio.create_task(asyncio.to_thread(load_adapter, adapters, choice, tenant))
            for choice in request.adapters
        ]
        background: list[asyncio.Task[Any]] = [*loads]
        try:
            is_late = await self._first_loads(request, loads)
            mix = StartMix(load.result() for load, late in zip(loads, is_late, strict=True) if not late)
            self._check(mix)
            encoded = await self._encode(request, mix)
            late = None
            if any(is_late):
                arrival = asyncio.create_task(self._arrive(request, loads, mix, encoded))
                background.append(arrival)
                late = LateAdapters(arrival, _free_steps(request))
            token.raise_if_cancelled()
            loop = asyncio.get_running_loop()
            program, words = await loop.run_in_executor(
                self._threads.prepare, self._begin, request, mix, encoded
            )
            yield Take(program, late, loads, is_late, words)
        finally:
            await _end(background)

    async def forget_adapters(self, uris: Collection[str], tenant: str) -> int:
        """Drop adapters with all that was made of them; how many were in memory."""
        count = await asyncio.to_thread(self.model.adapters.evict, uris, tenant=tenant)
        loop = asyncio.get_running_loop()
        # In line behind the calls in flight, which would pack them once more.
        await loop.run_in_executor(self._threads.unet, self.model.unet.forget_adapters, uris)
        await loop.run_in_executor(self._threads.prepare, self.model.text.forget_adapters, uris)
        self._prompts.forget_adapters(uris)
        return count

    async def close(self) -> None:
        """Fail what is not finished as draining."""
        await self._prompts.close()
        await self.denoiser.close()

    def _begin(
        self, request: GenerationRequest, mix: AdapterMix, encoded: Encoded
    ) -> tuple[DenoisingProgram, tuple[str, ...]]:
        # Both in the thread of the text encoder, whose tokenizer is not made for several.
        program = start_program(self.model, request, mix, encoded)
        return program, unfamiliar_words(self.model, request)

    async def _first_loads(self, request: GenerationRequest, loads: Loads) -> tuple[bool, ...]:
        """Wait for the adapters that the first step needs; which ones may come late."""
        if request.may_start_without_adapters and _free_steps(request) and loads:
            await asyncio.wait(loads, timeout=_AT_ONCE_S)
        else:
            await asyncio.gather(*loads)
        return tuple(not load.done() for load in loads)

    async def _encode(self, request: GenerationRequest, mix: AdapterMix) -> Encoded:
        image = source_image(self.model, request)
        prompt, negative = await self._texts(request, mix)
        return Encoded(prompt, negative, None if image is None else await self.denoiser.codec.encode(image))

    async def _texts(self, request: GenerationRequest, mix: AdapterMix) -> list[TextCondition]:
        prompts = prompts_of(self.model, request)
        return list(await asyncio.gather(*(self._prompts.encode(prompt, mix) for prompt in prompts)))

    def _check(self, mix: AdapterMix) -> None:
        """Both mixes that a picture's rows may have. Raises: AdapterIncompatible."""
        self.model.unet.check(mix)
        self.model.unet.check(without_person(mix))

    async def _arrive(
        self, request: GenerationRequest, loads: Loads, start: AdapterMix, encoded: Encoded
    ) -> Upgrade:
        mix = tuple(await asyncio.gather(*loads))
        self._check(mix)
        if len(text_part(mix)) == len(text_part(start)):
            return Upgrade(mix)
        before = (encoded.prompt, encoded.negative_prompt)
        return Upgrade(mix, dict(zip(before, await self._texts(request, mix), strict=True)))


def _free_steps(request: GenerationRequest) -> int:
    """Steps that may run without adapters; from a source picture fewer steps are run."""
    return free_step_count(int(request.step_count * request.strength))


async def _end(tasks: Sequence["asyncio.Task[Any]"]) -> None:
    """Cancel what runs and take note of all results, so that none is reported as never retrieved."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.gather(*tasks, return_exceptions=True)
