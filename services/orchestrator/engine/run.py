"""One run of a portrait's workflow through its stages.

``run_step(name, work)`` does a piece of work once and remembers its JSON result: when the workflow runs again
after a crash, steps with a result return it without working. Between steps nothing is decided but from such
results and the portrait's spec, which never changes; so a resumed portrait takes the same way.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from services.orchestrator.domain.base import Record
from services.orchestrator.domain.engine_port import Json, RunStep
from services.orchestrator.domain.faces import BlobRef
from services.orchestrator.domain.notices import rejections, shortfall, unknown_words
from services.orchestrator.domain.portrait import Candidate, Failure, Portrait, Stage, State
from services.orchestrator.domain.stages import (
    Fused,
    FusedRound,
    Generated,
    GeneratedRound,
    Plan,
    Ranking,
    Stored,
    Trained,
)
from services.orchestrator.engine.attempt import Attempt, StageFailed, failure_of
from services.orchestrator.engine.stages.analyse import analyse
from services.orchestrator.engine.stages.fuse import fuse
from services.orchestrator.engine.stages.generate import generate
from services.orchestrator.engine.stages.job import Job
from services.orchestrator.engine.stages.rank import candidates, rank
from services.orchestrator.engine.stages.store import Outcome, store
from services.orchestrator.engine.stages.train import train
from services.orchestrator.errors import NoCandidatePassed

R = TypeVar("R", bound=Record)


class PortraitRun:
    """One portrait on its way."""

    def __init__(self, job: Job, run_step: RunStep) -> None:
        self._job = job
        self._run_step = run_step
        self._attempt = Attempt(job)
        self._made: dict[int, Generated] = {}
        self._finished: list[Fused] = []
        self._fuse_notices: tuple[str, ...] = ()

    async def work(self) -> None:
        """Do all stages.

        Raises:
            StageCancelled: The portrait was cancelled.
            StageFailed: A stage failed, or no candidate passed the gate.
        """
        spec = self._job.portrait.spec
        plan = await self._stage("analyse", Stage.ANALYSE, lambda: analyse(self._job), Plan, _with_plan)
        adapter = plan.adapter_artifact
        if plan.train:
            trained = await self._stage("train", Stage.TRAIN, lambda: train(self._job, plan), Trained)
            adapter = trained.artifact
        else:
            self._job.journal.meter.drop(Stage.TRAIN)
        ranking = await self._rounds(plan, adapter)
        ranked = _with_winners(candidates(self._made, self._finished, ranking), spec.portrait_count)
        await self._store(plan, adapter, ranked, ranking)
        if ranking.accepted_count == 0:
            raise StageFailed(failure_of(_none_passed(ranked, ranking)))

    async def _rounds(self, plan: Plan, adapter: BlobRef | None) -> Ranking:
        """Generate, fuse and rank until enough candidates pass or the budget is spent."""
        spec = self._job.portrait.spec
        want = spec.candidate_count
        for number in range(1, spec.candidate_budget + 1):
            ranking = await self._round(number, plan, adapter, want)
            missing = spec.portrait_count - ranking.accepted_count
            room = spec.candidate_budget - len(self._made)
            if missing <= 0 or room <= 0:
                break
            # Half of the new ones may fail as well.
            want = min(2 * missing, room)
        return ranking

    async def _round(self, number: int, plan: Plan, adapter: BlobRef | None, want: int) -> Ranking:
        job, first = self._job, len(self._made) + 1
        indices = range(first, first + want)
        made = await self._stage(
            f"generate-{number}",
            Stage.GENERATE,
            lambda: generate(job, plan, adapter, indices),
            GeneratedRound,
            lambda portrait, _: portrait.model_copy(update={"used_adapter": adapter is not None}),
        )
        self._made.update({item.index: item for item in made.pictures})
        fused = await self._stage(f"fuse-{number}", Stage.FUSE, lambda: fuse(job, plan, made), FusedRound)
        self._finished += fused.pictures
        self._fuse_notices = fused.notices
        return await self._stage(
            f"rank-{number}",
            Stage.RANK,
            lambda: rank(job, plan, self._made, self._finished, fused.pictures),
            Ranking,
            self._with_ranking,
        )

    async def _store(
        self, plan: Plan, adapter: BlobRef | None, ranked: tuple[Candidate, ...], ranking: Ranking
    ) -> None:
        times_s = self._attempt.times_s
        outcome = Outcome(self._made, self._finished, ranking, ranked)
        words = [word for item in self._made.values() for word in item.unfamiliar_words]
        notices = (
            *shortfall(self._job.portrait.spec, ranking, ranked),
            *unknown_words(words),
            *self._fuse_notices,
        )

        def with_stored(portrait: Portrait, stored: Stored) -> Portrait:
            files = {item.index: item for item in stored.candidates}
            final = [
                candidate.model_copy(
                    update={
                        "artifact": files[candidate.index].artifact,
                        "thumbnail": files[candidate.index].thumbnail,
                        "manifest": files[candidate.index].manifest,
                    }
                )
                for candidate in ranked
            ]
            return portrait.model_copy(update={"candidates": tuple(final), "notices": notices})

        await self._stage(
            "store",
            Stage.STORE,
            lambda: store(self._job, plan, adapter, outcome, times_s),
            Stored,
            with_stored,
        )

    async def finish(self, state: State, failure: Failure | None = None) -> None:
        """Give the portrait its last state."""

        async def step() -> Json:
            await self._attempt.finish(state, failure)
            return {"state": state.value}

        await self._run_step("finish", step)

    async def _stage(
        self,
        name: str,
        stage: Stage,
        work: Callable[[], Any],
        kind: type[R],
        apply: Callable[[Portrait, R], Portrait] = lambda portrait, _: portrait,
    ) -> R:
        async def step() -> Json:
            return (await self._attempt.make(stage, work, apply)).to_json()

        return self._attempt.read(stage, await self._run_step(name, step), kind)

    def _with_ranking(self, portrait: Portrait, ranking: Ranking) -> Portrait:
        joined = candidates(self._made, self._finished, ranking)
        return portrait.model_copy(
            update={
                "candidates": _with_winners(joined, portrait.spec.portrait_count),
                "identity_gate": ranking.identity_gate,
            }
        )


def _with_plan(portrait: Portrait, plan: Plan) -> Portrait:
    return portrait.model_copy(update={"prompt": plan.prompt})


def _with_winners(ranked: tuple[Candidate, ...], portrait_count: int) -> tuple[Candidate, ...]:
    return tuple(
        candidate.model_copy(update={"is_winner": 0 < candidate.rank <= portrait_count})
        for candidate in ranked
    )


def _none_passed(ranked: Sequence[Candidate], ranking: Ranking) -> NoCandidatePassed:
    best = max((verdict.best_similarity for verdict in ranking.verdicts), default=0.0)
    return NoCandidatePassed(
        count=len(ranked),
        rejections=rejections(ranked),
        gate=round(ranking.identity_gate, 3),
        best_similarity=round(best, 3),
    )
