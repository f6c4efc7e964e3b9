"""The use cases: create, get, list, cancel, delete, watch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from services.lora_training.domain.job import JobState, TrainingJob
from services.lora_training.domain.order import TrainingOrder
from services.lora_training.domain.ports import JobStore
from services.lora_training.engine.intake import Intake
from services.lora_training.engine.registry import JobPage, JobRegistry, JobUpdate
from services.lora_training.engine.runner import Runner
from shared.artifacts import ArtifactStore, is_tenant_name
from shared.errors.common import FieldInvalid, QueueFull
from shared.progress import ProgressEvent
from shared.telemetry import get_logger

_log = get_logger("lora_training.jobs")
# A guess for RetryInfo until the queue moves: about half a training of the starter model.
_RETRY_AFTER_S = 30.0


@dataclass(frozen=True)
class Deleted:
    """What was removed with a job."""

    checkpoint_count: int
    artifact_count: int


class TrainingJobs:
    """Training jobs of all tenants. All methods run in the event loop that called `start`."""

    def __init__(
        self,
        registry: JobRegistry,
        store: JobStore,
        intake: Intake,
        runner: Runner,
        artifacts: ArtifactStore,
        queue_limit: int,
    ) -> None:
        """Args: queue_limit: jobs that may wait; one more is QueueFull."""
        self._registry = registry
        self._store = store
        self._intake = intake
        self._runner = runner
        self._artifacts = artifacts
        self._queue_limit = queue_limit
        self._create_lock = asyncio.Lock()

    async def start(self) -> None:
        """Load the jobs, finish interrupted clean-ups, go on with interrupted jobs, then serve."""
        jobs = await asyncio.to_thread(self._store.load_all)
        jobs.sort(key=lambda job: (job.state is not JobState.RUNNING, job.created_at))
        for job in jobs:
            self._registry.put(job, time.time())
            if not job.state.is_terminal:
                self._runner.enqueue(job)
            elif job.state is not JobState.FAILED:
                await asyncio.to_thread(self._store.drop_working_files, job)
        self._runner.start()
        _log.info("training.loaded", jobs=len(jobs), waiting=self._runner.waiting_count)

    async def stop(self) -> None:
        """Stop the workers; interrupted jobs go on after the next start."""
        await self._runner.stop()

    def drain(self) -> None:
        """End all watches; the jobs are untouched."""
        self._registry.drain()

    async def create(self, order: TrainingOrder, tenant: str) -> TrainingJob:
        """Make a job, or return the one that the same request_id made before.

        A job that repeats a failed one of the tenant goes on from its checkpoints.
        Raises: RequestIdReused, QueueFull, and what `Intake.accept` raises.
        """
        if not is_tenant_name(tenant):
            raise FieldInvalid(field="x-likeness-tenant", problem="is not a tenant name")
        async with self._create_lock:
            known = self._registry.by_request_id(tenant, order.request_id, order.body_sha256)
            if known is not None:
                return known
            if self._runner.waiting_count >= self._queue_limit:
                raise QueueFull(queue="training", limit=self._queue_limit, retry_after_s=_RETRY_AFTER_S)
            accepted = await asyncio.to_thread(self._intake.accept, order, tenant)
            job = accepted.job
            await asyncio.to_thread(self._store.save_photos, job, accepted.photos)
            twin = self._registry.failed_twin(tenant, order.body_sha256)
            if twin is not None:
                await asyncio.to_thread(self._store.adopt_checkpoints, job, twin)
            await asyncio.to_thread(self._store.save, job)
            self._registry.put(job, time.time())
            self._runner.enqueue(job)
        _log.info("training.created", training_job=job.name, photos=len(accepted.photos))
        return job

    def get(self, name: str, tenant: str) -> TrainingJob:
        """Return a job of the tenant. Raises: UnknownTrainingJob."""
        return self._registry.get(tenant, name)

    def list(self, tenant: str, subject: str, page_size: int, page_token: str) -> JobPage:
        """Return a page of the tenant's jobs, the newest first. Raises: PageTokenInvalid."""
        return self._registry.page(tenant, subject, page_size, page_token)

    async def cancel(self, name: str, tenant: str) -> TrainingJob:
        """Cancel a job and return it once its worker is gone; an ended job stays as it is."""
        await self._runner.withdraw(self._registry.get(tenant, name))
        job = self._registry.get(tenant, name)
        if job.state is JobState.CANCELLED:
            await asyncio.to_thread(self._store.drop_working_files, job)
        return job

    async def delete(self, name: str, tenant: str) -> Deleted:
        """Remove a job with photos, cached latents, checkpoints and adapter, cancelling it first."""
        await self._runner.withdraw(self._registry.get(tenant, name))
        async with self._runner.artifact_lock:
            job = self._registry.get(tenant, name)
            artifact_count = 0
            if job.result is not None and not self._registry.shares_artifact(job):
                uri = job.result.artifact.uri
                artifact_count = int(await asyncio.to_thread(self._artifacts.delete, uri, tenant=tenant))
            checkpoint_count = await asyncio.to_thread(self._store.delete, job)
            self._registry.remove(job)
        _log.info("training.deleted", training_job=job.name)
        return Deleted(checkpoint_count, artifact_count)

    def watch(self, name: str, tenant: str, resume_token: str) -> AsyncIterator[ProgressEvent[JobUpdate]]:
        """Follow a job. Raises: UnknownTrainingJob; later HistoryGone or FieldInvalid for the token."""
        return self._registry.log(self._registry.get(tenant, name)).subscribe(resume_token)
