"""FUSE: bring the reference face into each candidate, restore marks, enhance."""

from services.orchestrator.domain.events import StepNews
from services.orchestrator.domain.faces import AnalyzedPicture, FacedPicture, Picture, Refusal
from services.orchestrator.domain.portrait import Candidate, Stage
from services.orchestrator.domain.stages import Fused, FusedRound, Generated, GeneratedRound, Plan
from services.orchestrator.engine.stages.job import Job
from services.orchestrator.engine.together import together
from shared.errors import LikenessError

# Candidates in work at a time; more would only wait in the fusion service.
_CONCURRENCY = 4


async def fuse(job: Job, plan: Plan, made: GeneratedRound) -> FusedRound:
    """Fuse each candidate that shows exactly one face; the others are kept as they are, for RANK to reject.

    A candidate that the fusion service refuses keeps that refusal and is never ranked.

    Raises:
        LikenessError: A failure that is not the candidate's own.
    """
    identity = await job.identity()
    references = await job.references(identity)
    pictures = [await job.read(item.artifact, f"candidate-{item.index}") for item in made.pictures]
    analyzed = await job.tools.face_analysis.analyze(pictures, job.caller)
    worker = _Worker(job, plan, references, len(pictures))
    items = zip(made.pictures, pictures, analyzed, strict=True)
    return FusedRound(pictures=tuple(await together((worker.finish(*item) for item in items), _CONCURRENCY)))


class _Worker:
    def __init__(self, job: Job, plan: Plan, references: list[FacedPicture], candidate_count: int) -> None:
        self._job = job
        self._plan = plan
        self._references = references
        self._candidate_count = candidate_count
        self._done = 0

    async def finish(self, made: Generated, picture: Picture, analyzed: AnalyzedPicture) -> Fused:
        """Do all there is to do to one candidate."""
        data, done, rejection = picture.data, list[str](), None
        if len(analyzed.faces) == 1:
            try:
                data, done = await self._transform(FacedPicture(picture, analyzed.faces))
            except LikenessError as error:
                # Only what is wrong with this picture; anything else fails the stage.
                if error.status != "INVALID_ARGUMENT":
                    raise
                rejection = Refusal(reason=error.reason, message=error.message, metadata=error.metadata)
        artifact = await self._job.put(data) if done else made.artifact
        self._done += 1
        self._job.journal.step(StepNews(Stage.FUSE, self._done, self._candidate_count))
        candidate = Candidate(index=made.index, seed=made.seed, artifact=artifact, rejection=rejection)
        await self._job.show(candidate, data, Stage.FUSE)
        return Fused(index=made.index, artifact=artifact, transformations=tuple(done), rejection=rejection)

    async def _transform(self, candidate: FacedPicture) -> tuple[bytes, list[str]]:
        fusion, caller, name = self._job.tools.fusion, self._job.caller, candidate.picture.name
        strength, done = self._job.style.fusion, list[str]()
        data = candidate.picture.data
        if strength.strength > 0:
            data = await fusion.fuse(
                candidate,
                self._references,
                strength.strength,
                {str(region): weight for region, weight in strength.regions.items()},
                caller,
            )
            done.append(f"fuse {strength.strength:g}")
            if strength.restore_marks:
                # Fusing keeps the geometry, so the faces found before still hold.
                faced = FacedPicture(Picture(data, name, candidate.picture.ref), candidate.faces)
                data, mark_count = await fusion.restore_marks(faced, self._references, caller)
                done.append(f"restore_marks {mark_count}")
        data = await fusion.enhance(Picture(data, name), self._plan.upscale, caller)
        done.append(f"enhance x{self._plan.upscale}")
        return data, done
