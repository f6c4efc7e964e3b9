"""RANK: compare every candidate with all references and apply the identity gate."""

from collections.abc import Mapping, Sequence

from services.orchestrator.domain.faces import FacedPicture
from services.orchestrator.domain.portrait import Candidate, Stage
from services.orchestrator.domain.stages import Fused, Generated, Ranking
from services.orchestrator.engine.stages.job import Job


async def rank(
    job: Job, made: Mapping[int, Generated], finished: Sequence[Fused], newest: Sequence[Fused]
) -> Ranking:
    """Rank all candidates made so far, measured on the finished pictures.

    Args:
        job: The portrait.
        made: What was generated, by index.
        finished: The finished pictures of all rounds.
        newest: Those of the latest round; only they are told to the watchers.
    """
    identity = await job.identity()
    pictures = [await job.read(item.artifact, f"candidate-{item.index}") for item in finished]
    analyzed = await job.tools.face_analysis.analyze(pictures, job.caller)
    faced = {
        item.index: FacedPicture(picture, result.faces)
        for item, picture, result in zip(finished, pictures, analyzed, strict=True)
        if item.rejection is None
    }
    ranking = Ranking(verdicts=(), identity_gate=0.0)
    if faced:
        ranking = await job.tools.fusion.rank(
            faced, identity.embeddings(), job.style.min_similarity, job.caller
        )
    by_index = {item.index: (item, picture) for item, picture in zip(finished, pictures, strict=True)}
    for candidate in candidates(made, finished, ranking):
        item, picture = by_index[candidate.index]
        if item in newest:
            await job.show(candidate, picture.data, Stage.RANK)
    return ranking


def candidates(
    made: Mapping[int, Generated], finished: Sequence[Fused], ranking: Ranking
) -> tuple[Candidate, ...]:
    """Join what is known of the candidates: the accepted ones by rank, then the rejected ones by score."""
    verdicts = {verdict.index: verdict for verdict in ranking.verdicts}
    joined = []
    for item in finished:
        candidate = Candidate(
            index=item.index, seed=made[item.index].seed, artifact=item.artifact, rejection=item.rejection
        )
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
