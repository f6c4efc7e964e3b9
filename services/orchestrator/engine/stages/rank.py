"""RANK: compare every candidate with all references and apply the identity gate."""

from collections.abc import Mapping, Sequence

from services.orchestrator.domain.faces import FacedPicture
from services.orchestrator.domain.fusion_port import RankWishes
from services.orchestrator.domain.portrait import Candidate, Stage
from services.orchestrator.domain.stages import Fused, Generated, Plan, Ranking
from services.orchestrator.domain.wanted import wanted_attributes
from services.orchestrator.engine.stages.fuse import candidate_of
from services.orchestrator.engine.stages.job import Job


async def rank(
    job: Job,
    plan: Plan,
    made: Mapping[int, Generated],
    finished: Sequence[Fused],
    newest: Sequence[Fused],
) -> Ranking:
    """Rank all candidates made so far, measured on the finished pictures.

    Args:
        job: The portrait.
        plan: Its words: what they ask for is looked for.
        made: What was generated, by index.
        finished: The finished pictures of all rounds.
        newest: Those of the latest round; only they are told to the watchers.
    """
    identity = await job.identity()
    pictures = [await job.read(item.artifact, f"candidate-{item.index}") for item in finished]
    # FUSE has left most of this in memory, unless the process is another one now.
    analyzed = await job.faces.candidates(pictures)
    faced = {
        item.index: FacedPicture(picture, result.faces)
        for item, picture, result in zip(finished, pictures, analyzed, strict=True)
        if item.rejection is None
    }
    ranking = Ranking(verdicts=(), identity_gate=0.0)
    if faced:
        ranking = await job.tools.fusion.rank(
            faced, identity.comparison_embeddings(), _wishes(job, plan), job.caller
        )
    by_index = {item.index: (item, picture) for item, picture in zip(finished, pictures, strict=True)}
    for candidate in candidates(made, finished, ranking):
        item, picture = by_index[candidate.index]
        if item in newest:
            await job.show(candidate, picture.data, Stage.RANK)
    return ranking


def _wishes(job: Job, plan: Plan) -> RankWishes:
    style = job.style
    rate = style.false_accept_rate or job.tools.limits.false_accept_rate
    return RankWishes(
        min_similarity=style.min_similarity,
        false_accept_rate=None if style.min_similarity is not None else rate,
        attributes=wanted_attributes(plan.prompt),
        is_face_optional=style.face == "optional",
    )


def candidates(
    made: Mapping[int, Generated], finished: Sequence[Fused], ranking: Ranking
) -> tuple[Candidate, ...]:
    """Join what is known of the candidates: the accepted ones by rank, then the rejected ones by score."""
    verdicts = {verdict.index: verdict for verdict in ranking.verdicts}
    joined = []
    for item in finished:
        candidate = candidate_of(made[item.index], item)
        if (verdict := verdicts.get(item.index)) is not None:
            candidate = candidate.model_copy(
                update={
                    "rank": verdict.rank,
                    "score": verdict.score,
                    "best_similarity": verdict.best_similarity,
                    "mean_similarity": verdict.mean_similarity,
                    "rejection": verdict.rejection,
                }
            )
        joined.append(candidate)
    joined.sort(
        key=lambda candidate: (candidate.rank == 0, candidate.rank, -candidate.score, candidate.index)
    )
    return tuple(joined)
