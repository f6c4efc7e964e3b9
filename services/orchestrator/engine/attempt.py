"""One attempt at a stage: timed, cancellable, and ended by an outcome, never by a raise."""

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from services.orchestrator.domain.base import Record, utc_now
from services.orchestrator.domain.portrait import Failure, Portrait, Stage, StageTime, State
from services.orchestrator.domain.stages import StageOutcome
from services.orchestrator.engine.hub import Estimate
from services.orchestrator.engine.meter import units_of_work
from services.orchestrator.engine.stages.job import Job
from services.orchestrator.errors import DeadlineExceeded, InternalError
from shared.cancellation import Cancelled
from shared.errors import LikenessError
from shared.telemetry import get_logger
from shared.telemetry import stage as measured

R = TypeVar("R", bound=Record)


class StageCancelled(Exception):
    """The portrait was cancelled."""


class StageFailed(Exception):
    """A stage failed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def failure_of(error: LikenessError) -> Failure:
    """Return what is kept of an error."""
    return Failure(reason=error.reason, message=error.message, metadata=error.metadata)


class Attempt:
    """Attempts at the stages of one portrait."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._log = get_logger("orchestrator").bind(portrait=job.portrait.name, tenant=job.portrait.tenant)
        self.times_s: dict[Stage, float] = {}

    async def make(
        self,
        stage: Stage,
        work: Callable[[], Coroutine[Any, Any, R]],
        apply: Callable[[Portrait, R], Portrait],
    ) -> StageOutcome:
        """Do a stage's work and note its result in the portrait's record before it is returned."""
        job = self._job
        job.journal.enter(stage)
        await job.journal.change(lambda portrait: _entered(portrait, stage, job.journal.meter.estimate()))
        started_s = time.perf_counter()
        result, failure = await self._try(stage, work)
        seconds = time.perf_counter() - started_s
        if result is None:
            return StageOutcome(seconds=seconds, failure=failure, is_cancelled=failure is None)
        times_s = {**self.times_s, stage: self.times_s.get(stage, 0.0) + seconds}
        done = job.journal.meter.advance(1.0)
        await job.journal.change(lambda portrait: _left(apply(portrait, result), times_s, done))
        units = units_of_work(stage, job.portrait.spec.candidate_count)
        await asyncio.to_thread(job.tools.store.record_rate, stage.value, seconds / units)
        self._log.info("stage.finished", stage=stage.value, seconds=round(seconds, 3))
        return StageOutcome(seconds=seconds, result=result.to_json())

    def read(self, stage: Stage, step_result: dict[str, Any], kind: type[R]) -> R:
        """Return the result of a stage, just made or remembered.

        Raises:
            StageCancelled: The portrait was cancelled during the stage.
            StageFailed: The stage failed.
        """
        outcome = StageOutcome.model_validate(step_result)
        self.times_s[stage] = self.times_s.get(stage, 0.0) + outcome.seconds
        if outcome.is_cancelled:
            raise StageCancelled()
        if outcome.failure is not None:
            raise StageFailed(outcome.failure)
        return kind.model_validate(outcome.result)

    async def finish(self, state: State, failure: Failure | None) -> None:
        """Give the portrait its last state."""

        def end(portrait: Portrait) -> Portrait:
            progress = 1.0 if state is State.SUCCEEDED else portrait.progress
            return portrait.model_copy(
                update={
                    "state": state,
                    "error": failure,
                    "progress": progress,
                    "remaining_s": None,
                    "end_time": utc_now(),
                }
            )

        await self._job.journal.change(end)
        self._log.info("portrait.ended", state=state.value, reason=failure.reason if failure else None)

    async def _try(
        self, stage: Stage, work: Callable[[], Coroutine[Any, Any, R]]
    ) -> tuple[R | None, Failure | None]:
        """Return the result, or the failure, or neither where the portrait was cancelled."""
        tools, portrait = self._job.tools, self._job.portrait
        try:
            with measured("orchestrator", stage.value.lower()):
                async with asyncio.timeout(tools.limits.stage_timeout_s):
                    return await tools.cancels.guard((portrait.tenant, portrait.id), work()), None
        except Cancelled:
            return None, None
        except TimeoutError:
            return None, failure_of(DeadlineExceeded())
        except LikenessError as error:
            self._log.info("stage.failed", stage=stage.value, reason=error.reason, message=error.message)
            return None, failure_of(error)
        except Exception:
            # The caller gets an id only: the text of an unforeseen error may hold what is not theirs to see.
            error_id = uuid.uuid4().hex
            self._log.exception("stage.broken", stage=stage.value, error_id=error_id)
            return None, failure_of(InternalError(error_id=error_id))


def _entered(portrait: Portrait, stage: Stage, estimate: Estimate) -> Portrait:
    return portrait.model_copy(
        update={
            "state": State.RUNNING,
            "stage": stage,
            "start_time": portrait.start_time or utc_now(),
            "progress": max(portrait.progress, estimate.progress),
            "remaining_s": estimate.remaining_s,
        }
    )


def _left(portrait: Portrait, times_s: dict[Stage, float], estimate: Estimate) -> Portrait:
    times = tuple(StageTime(stage=stage, seconds=seconds) for stage, seconds in times_s.items())
    return portrait.model_copy(
        update={
            "stage_times": times,
            "progress": max(portrait.progress, estimate.progress),
            "remaining_s": estimate.remaining_s,
        }
    )
