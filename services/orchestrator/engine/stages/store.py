"""STORE: apply the style's effect to the winners, and write down how each candidate was made."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.orchestrator.domain.events import StepNews
from services.orchestrator.domain.faces import BlobRef, Picture
from services.orchestrator.domain.portrait import Candidate, Stage
from services.orchestrator.domain.stages import (
    Fused,
    Generated,
    Plan,
    Ranking,
    Stored,
    StoredCandidate,
    Verdict,
)
from services.orchestrator.engine.stages.generate import adapters_of
from services.orchestrator.engine.stages.job import Job
from services.orchestrator.engine.together import together

MANIFEST_VERSION = 1
_CONCURRENCY = 4


@dataclass(frozen=True)
class Outcome:
    """What the stages before have come to: what was generated, finished and ranked, all rounds together."""

    made: Mapping[int, Generated]
    finished: Sequence[Fused]
    ranking: Ranking
    ranked: Sequence[Candidate]


async def store(
    job: Job, plan: Plan, adapter: BlobRef | None, outcome: Outcome, times_s: Mapping[Stage, float]
) -> Stored:
    """Finish the winners, and store a manifest for every candidate, the rejected ones included."""
    finished = {item.index: item for item in outcome.finished}
    verdicts = {verdict.index: verdict for verdict in outcome.ranking.verdicts}
    worker = _Worker(job, plan, adapter, times_s, len(outcome.ranked))
    work = (
        worker.keep(
            candidate, outcome.made[candidate.index], finished[candidate.index], verdicts.get(candidate.index)
        )
        for candidate in outcome.ranked
    )
    return Stored(candidates=tuple(await together(work, _CONCURRENCY)))


class _Worker:
    def __init__(
        self,
        job: Job,
        plan: Plan,
        adapter: BlobRef | None,
        times_s: Mapping[Stage, float],
        candidate_count: int,
    ) -> None:
        self._job = job
        self._plan = plan
        self._adapter = adapter
        self._times_s = times_s
        self._candidate_count = candidate_count
        self._done = 0

    async def keep(
        self, candidate: Candidate, made: Generated, fused: Fused, verdict: Verdict | None
    ) -> StoredCandidate:
        """Finish one candidate."""
        job, transformations = self._job, list(fused.transformations)
        picture = await job.read(candidate.artifact, candidate.candidate_id)
        artifact, effect = candidate.artifact, job.style.effect
        if effect is not None and candidate.is_winner:
            data = await job.tools.stylization.stylize(picture, effect.name, effect.strength, job.caller)
            picture = Picture(data, picture.name)
            artifact = await job.put(data)
            transformations.append(f"stylize {effect.name} {effect.strength:g}")
        small = await asyncio.to_thread(job.tools.pictures.thumbnail, picture.data)
        manifest = {
            **self._manifest(candidate, made, artifact, transformations),
            "edits": [edit.to_json() for edit in fused.edits],
            "restored_marks": [mark.to_json() for mark in fused.restored_marks],
            # None where a candidate never came to be ranked.
            "verdict": verdict.to_json() if verdict is not None else None,
        }
        stored = StoredCandidate(
            index=candidate.index,
            artifact=artifact,
            thumbnail=await job.put(small, "image/jpeg"),
            manifest=await job.put(json.dumps(manifest, indent=1).encode(), "application/json"),
        )
        self._done += 1
        job.journal.step(StepNews(Stage.STORE, self._done, self._candidate_count))
        return stored

    def _manifest(
        self, candidate: Candidate, made: Generated, artifact: BlobRef, transformations: Sequence[str]
    ) -> dict[str, object]:
        style, spec, plan = self._job.style, self._job.portrait.spec, self._plan
        uses = adapters_of(self._job, self._adapter)
        shows_person = plan.use_tokens or any(use.of_person for use in uses)
        return {
            "manifest_version": MANIFEST_VERSION,
            "candidate": candidate.candidate_id,
            "sha256": artifact.sha256,
            "seed": made.seed,
            "request_seed": spec.seed,
            "prompt": plan.prompt,
            "negative_prompt": plan.negative_prompt,
            "model": plan.model,
            "model_digest": made.model_digest,
            "adapters": [
                {"sha256": digest, "weight": use.weight, "of_person": use.of_person}
                for digest, use in zip(made.adapter_digests, uses, strict=True)
            ],
            "identity_token_scale": style.identity.token_scale if plan.use_tokens else 0.0,
            "identity_guidance_scale": style.identity.guidance_scale if shows_person else None,
            "identity_late_from": style.identity.late_from if shows_person else None,
            "style": {
                "name": f"styles/{style.name}",
                "version": style.version,
                "sha256": self._job.style_sha256,
            },
            "sampler": style.sampler,
            "step_count": style.step_count,
            "guidance_scale": style.guidance_scale,
            "draw_size_px": plan.draw_size_px,
            "size_px": spec.size_px,
            "transformations": list(transformations),
            # Measured before the style's effect: face embedders are not made for drawings.
            "best_similarity": candidate.best_similarity,
            "mean_similarity": candidate.mean_similarity,
            "rank": candidate.rank,
            "rejection": candidate.rejection.to_json() if candidate.rejection else None,
            "stage_seconds": {stage.value: round(seconds, 3) for stage, seconds in self._times_s.items()},
        }
