"""The durable workflow of portraits: who runs when, and how a run ends. The stages' order is in `run.py`."""

import asyncio
import uuid

from services.orchestrator.domain.base import utc_now
from services.orchestrator.domain.engine_port import RunStep
from services.orchestrator.domain.portrait import IdentityMode, Portrait, Stage, State
from services.orchestrator.domain.ports import Caller
from services.orchestrator.engine.attempt import StageCancelled, StageFailed, failure_of
from services.orchestrator.engine.face_memo import FaceMemo
from services.orchestrator.engine.journal import Journal
from services.orchestrator.engine.meter import DEFAULT_RATES_S, Meter, units_of_work
from services.orchestrator.engine.run import PortraitRun
from services.orchestrator.engine.stages.job import Job
from services.orchestrator.engine.tools import Tools
from services.orchestrator.errors import InternalError
from shared.cancellation import Cancelled
from shared.errors import LikenessError
from shared.telemetry import get_logger


class PortraitWorkflow:
    """Runs portraits, so many at a time."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._gate = asyncio.Semaphore(tools.limits.max_running_portraits)

    async def run(self, tenant: str, portrait_id: str, run_step: RunStep) -> None:
        """Work on a portrait until it has ended; do nothing for one that has been deleted."""
        portrait = await asyncio.to_thread(self._tools.store.find_portrait, tenant, portrait_id)
        if portrait is None:
            return
        has_slot = False

        async def take_slot() -> None:
            nonlocal has_slot
            await self._gate.acquire()
            has_slot = True

        try:
            run = PortraitRun(await self._job(portrait), run_step)
        except LikenessError as error:
            # Such as a style that a newer installation no longer has.
            await self._fail(tenant, portrait_id, error)
            return
        try:
            await self._tools.cancels.guard((tenant, portrait_id), take_slot())
            await run.work()
        except (Cancelled, StageCancelled):
            await run.finish(State.CANCELLED)
        except StageFailed as failed:
            await run.finish(State.FAILED, failed.failure)
        else:
            await run.finish(State.SUCCEEDED)
        finally:
            if has_slot:
                self._gate.release()
            self._tools.hub.forget((tenant, portrait_id))

    async def give_up(self, tenant: str, portrait_id: str) -> None:
        """End a portrait whose workflow broke outside of its stages, which only a defect here can cause."""
        error_id = uuid.uuid4().hex
        get_logger("orchestrator").exception("portrait.broken", portrait=portrait_id, error_id=error_id)
        await self._fail(tenant, portrait_id, InternalError(error_id=error_id))

    async def _fail(self, tenant: str, portrait_id: str, error: LikenessError) -> None:
        change = {"state": State.FAILED, "error": failure_of(error), "end_time": utc_now()}
        await asyncio.to_thread(
            self._tools.store.update_portrait,
            tenant,
            portrait_id,
            lambda known: known.model_copy(update=change),
        )
        self._tools.hub.wake((tenant, portrait_id))

    async def _job(self, portrait: Portrait) -> Job:
        known = self._tools.styles.get(portrait.spec.style)
        expected_s: dict[Stage, float] = {}
        for stage in Stage:
            rate = await asyncio.to_thread(self._tools.store.rate, stage.value)
            units = units_of_work(stage, portrait.spec.candidate_count)
            expected_s[stage] = units * (DEFAULT_RATES_S[stage] if rate is None else rate)
        if portrait.spec.mode is not IdentityMode.TRAIN:
            del expected_s[Stage.TRAIN]
        journal = Journal(self._tools.store, self._tools.hub, portrait, Meter(expected_s))
        caller = Caller(portrait.tenant, self._tools.limits.stage_timeout_s)
        faces = FaceMemo(self._tools.face_analysis, caller)
        return Job(self._tools, portrait, known.style, known.sha256, journal, faces)
