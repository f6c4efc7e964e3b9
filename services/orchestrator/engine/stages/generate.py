"""GENERATE: all candidates of a round at once; the diffusion service packs their rows."""

from collections.abc import Sequence
from contextlib import aclosing

from services.orchestrator.domain.events import StepNews
from services.orchestrator.domain.faces import BlobRef
from services.orchestrator.domain.portrait import Candidate, Stage
from services.orchestrator.domain.ports import AdapterUse, GeneratedPicture, GenerationRequest
from services.orchestrator.domain.seeds import candidate_seed
from services.orchestrator.domain.stages import Generated, GeneratedRound, Plan
from services.orchestrator.engine.stages.job import Job
from services.orchestrator.engine.together import together

# A preview is shown to people as it passes; a larger one would only slow the stream.
_MAX_PREVIEW_BYTES = 64 * 1024


async def generate(job: Job, plan: Plan, adapter: BlobRef | None, indices: Sequence[int]) -> GeneratedRound:
    """Generate the candidates with these indices. Each depends on the seed, its index and the plan alone.

    Raises:
        LikenessError: The reason that the diffusion service gave, such as PROMPT_TOO_LONG.
    """
    identity = await job.identity()
    round_ = _Round(job, len(indices))
    requests = [
        GenerationRequest(
            model=plan.model,
            prompt=plan.prompt,
            negative_prompt=plan.negative_prompt,
            size_px=plan.draw_size_px,
            step_count=job.style.step_count,
            guidance_scale=job.style.guidance_scale,
            sampler=job.style.sampler,
            seed=candidate_seed(job.portrait.spec.seed, index),
            adapters=adapters_of(job, adapter),
            embeddings=tuple(identity.embeddings()) if plan.use_tokens else (),
            identity_scale=job.style.identity.token_scale,
            preview_interval_steps=job.tools.limits.preview_interval_steps,
            identity_guidance_scale=job.style.identity.guidance_scale,
            late_from=job.style.identity.late_from,
        )
        for index in indices
    ]
    work = (round_.make(index, request) for index, request in zip(indices, requests, strict=True))
    return GeneratedRound(pictures=tuple(await together(work)))


def adapters_of(job: Job, adapter: BlobRef | None) -> tuple[AdapterUse, ...]:
    """Return the adapters of a portrait: the identity's own, then the style's in their order."""
    uses = []
    if adapter is not None:
        strength = job.style.identity
        uses.append(AdapterUse(strength.adapter_weight, artifact=adapter, of_person=strength.adapter_apart))
    uses += [AdapterUse(item.weight, name=item.name) for item in job.style.adapters]
    return tuple(uses)


class _Round:
    """Adds up the steps of all candidates of a round."""

    def __init__(self, job: Job, candidate_count: int) -> None:
        self._job = job
        self._steps_done: dict[int, int] = {}
        self._step_count = candidate_count * job.style.step_count

    async def make(self, index: int, request: GenerationRequest) -> Generated:
        picture: GeneratedPicture | None = None
        stream = self._job.tools.diffusion.generate(request, self._job.caller)
        async with aclosing(stream) as events:  # type: ignore[type-var]
            async for event in events:
                if isinstance(event, GeneratedPicture):
                    picture = event
                else:
                    self._tell(index, event.step, event.preview)
        if picture is None:
            raise RuntimeError("the diffusion service ended a stream without a picture")
        ref = await self._job.put(picture.data)
        await self._job.show(
            Candidate(index=index, seed=request.seed, artifact=ref), picture.data, Stage.GENERATE
        )
        return Generated(
            index=index,
            seed=request.seed,
            artifact=ref,
            model_digest=picture.model_digest,
            adapter_digests=picture.adapter_digests,
            unfamiliar_words=picture.unfamiliar_words,
        )

    def _tell(self, index: int, step: int, preview: bytes | None) -> None:
        self._steps_done[index] = step
        self._job.journal.step(
            StepNews(
                Stage.GENERATE,
                sum(self._steps_done.values()),
                self._step_count,
                candidate_id=f"candidate-{index}",
                preview=preview if preview is not None and len(preview) <= _MAX_PREVIEW_BYTES else None,
            )
        )
