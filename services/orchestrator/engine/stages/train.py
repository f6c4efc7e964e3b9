"""TRAIN: one job of the training service, followed until it ends."""

import asyncio
from contextlib import aclosing

from services.orchestrator.domain.events import StepNews
from services.orchestrator.domain.identity import Identity, TrainedAdapter
from services.orchestrator.domain.portrait import Stage
from services.orchestrator.domain.ports import TrainingProgress, TrainingRequest
from services.orchestrator.domain.prompts import build_prompt
from services.orchestrator.domain.seeds import derive_seed
from services.orchestrator.domain.stages import Plan, Trained
from services.orchestrator.engine.stages.job import Job
from services.orchestrator.errors import TrainingFailed

# What CreateTrainingJob takes.
_MAX_PHOTOS = 64
CAPTION = "portrait of a {person}, {skin}, {hair}, {eyes}, {beard}, {glasses}"


async def train(job: Job, plan: Plan) -> Trained:
    """Train an adapter of the identity, or go on with the job that an interrupted attempt has started.

    Cancelling the portrait cancels the job; a server that only stops leaves it running.

    Raises:
        TrainingFailed: The job failed.
    """
    identity = await job.identity()
    training, caller = job.tools.training, job.caller
    name = await training.create(await _request(job, plan, identity), caller)
    await _note_job(job, identity, name)
    try:
        progress = await _follow(job, name)
    except asyncio.CancelledError:
        if job.tools.cancels.is_tripped((identity.tenant, job.portrait.id)):
            await training.cancel(name, caller)
        raise
    assert progress.adapter is not None
    await job.tools.artifacts.adopt(progress.adapter, tenant=identity.tenant, owner=identity.owner)
    adapter = TrainedAdapter(
        artifact=progress.adapter, base_model_digest=progress.base_model_digest, job=name
    )
    await asyncio.to_thread(
        job.tools.store.update_identity,
        identity.tenant,
        identity.id,
        lambda known: known.model_copy(update={"adapter": adapter}),
    )
    return Trained(
        artifact=progress.adapter,
        base_model_digest=progress.base_model_digest,
        job=name,
        step_count=progress.step_count,
        final_loss=progress.final_loss,
    )


async def _request(job: Job, plan: Plan, identity: Identity) -> TrainingRequest:
    references = (await job.references(identity))[:_MAX_PHOTOS]
    # The photos alone decide the adapter: whichever portrait trains it first, its bytes are the same.
    digests = sorted(reference.picture.ref.sha256 for reference in references if reference.picture.ref)
    return TrainingRequest(
        subject=identity.name,
        photos=tuple(references),
        caption=build_prompt(CAPTION, {item.name: item.value for item in identity.attributes}),
        seed=derive_seed(0, "train", *digests),
        base_model=plan.training_model,
        request_id=f"portrait-{job.portrait.id}",
    )


async def _note_job(job: Job, identity: Identity, name: str) -> None:
    """Remember the job with the identity, so that deleting one deletes the other."""

    def add(known: Identity) -> Identity:
        jobs = tuple(dict.fromkeys([*known.training_jobs, name]))
        return known.model_copy(update={"training_jobs": jobs})

    await asyncio.to_thread(job.tools.store.update_identity, identity.tenant, identity.id, add)


async def _follow(job: Job, name: str) -> TrainingProgress:
    async with aclosing(job.tools.training.watch(name, job.caller)) as events:  # type: ignore[type-var]
        async for progress in events:
            if progress.adapter is not None:
                return progress
            detail = "" if progress.loss is None else f"loss {progress.loss:.3f}"
            job.journal.step(StepNews(Stage.TRAIN, progress.steps_done, progress.step_count, detail=detail))
    raise TrainingFailed(training_job=name, cause="its progress ended before the job did")
