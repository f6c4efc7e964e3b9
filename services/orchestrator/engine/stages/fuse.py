"""FUSE: bring the reference face into each candidate, restore texture and marks, enhance."""

from services.orchestrator.domain.edits import Step
from services.orchestrator.domain.events import StepNews
from services.orchestrator.domain.faces import AnalyzedPicture, Picture, Refusal
from services.orchestrator.domain.finishing import resolve, steps_of
from services.orchestrator.domain.notices import missing_features
from services.orchestrator.domain.portrait import Candidate, Stage
from services.orchestrator.domain.stages import Fused, FusedRound, Generated, GeneratedRound, Plan
from services.orchestrator.engine.stages.finisher import Finisher
from services.orchestrator.engine.stages.job import Job
from services.orchestrator.engine.stages.steps import Performer
from services.orchestrator.engine.together import together
from shared.errors import LikenessError

# Candidates in work at a time; more would only wait in the other services.
_CONCURRENCY = 4
# What the requests of the fusion service take.
_MAX_REFERENCES = 16


async def fuse(job: Job, plan: Plan, made: GeneratedRound) -> FusedRound:
    """Finish each candidate that shows exactly one face, or none where the style allows that.

    The others are kept as they are, for RANK to reject.

    A candidate that the fusion service refuses to fuse keeps that refusal and is never ranked.

    Raises:
        LikenessError: A failure that is not the candidate's own.
    """
    identity = await job.identity()
    steps = steps_of(resolve(job.style, job.portrait.spec.finishing), plan.upscale)
    references = (await job.references(identity))[:_MAX_REFERENCES]
    if Step.FUSE in steps:
        references = await job.faces.references(references)
    pictures = [await job.read(item.artifact, f"candidate-{item.index}") for item in made.pictures]
    analyzed = await job.faces.candidates(pictures)
    performer = Performer(job, references, plan.upscale)
    finisher = Finisher(job, performer, steps, identity.comparison_embeddings(), plan.upscale)
    worker = _Worker(job, finisher, len(pictures))
    items = zip(made.pictures, pictures, analyzed, strict=True)
    finished = await together((worker.finish(*item) for item in items), _CONCURRENCY)
    missing = await job.faces.missing() if Step.FUSE in steps else frozenset()
    return FusedRound(pictures=tuple(finished), notices=missing_features(missing, steps))


class _Worker:
    def __init__(self, job: Job, finisher: Finisher, candidate_count: int) -> None:
        self._job = job
        self._finisher = finisher
        self._candidate_count = candidate_count
        self._done = 0

    async def finish(self, made: Generated, picture: Picture, analyzed: AnalyzedPicture) -> Fused:
        """Do all there is to do to one candidate."""
        data = picture.data
        fused = Fused(index=made.index, artifact=made.artifact, transformations=())
        may_lack_face = self._job.style.face == "optional"
        if len(analyzed.faces) == 1 or (may_lack_face and not analyzed.faces):
            try:
                shown = await self._finisher.finish(picture, analyzed)
            except LikenessError as error:
                # Only what is wrong with this picture; anything else fails the stage.
                if error.status != "INVALID_ARGUMENT":
                    raise
                rejection = Refusal(reason=error.reason, message=error.message, metadata=error.metadata)
                fused = fused.model_copy(update={"rejection": rejection})
            else:
                data = shown.picture.data
                fused = Fused(
                    index=made.index,
                    artifact=made.artifact if data is picture.data else await self._job.put(data),
                    transformations=tuple(edit.words for edit in shown.edits if edit.is_kept),
                    edits=shown.edits,
                    restored_marks=shown.marks,
                )
        self._done += 1
        self._job.journal.step(StepNews(Stage.FUSE, self._done, self._candidate_count))
        await self._job.show(candidate_of(made, fused), data, Stage.FUSE)
        return fused


def candidate_of(made: Generated, fused: Fused) -> Candidate:
    """Return what is known of a candidate after FUSE."""
    return Candidate(
        index=made.index,
        seed=made.seed,
        artifact=fused.artifact,
        rejection=fused.rejection,
        edits=fused.edits,
        restored_marks=fused.restored_marks,
    )
