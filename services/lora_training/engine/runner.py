"""Takes queued jobs, gives each to a worker process, and follows it to its end."""

from __future__ import annotations

import asyncio
import time
from collections import deque

from services.lora_training.domain.job import JobFailure, JobResult, JobState, TrainingJob
from services.lora_training.domain.ports import (
    JobStore,
    ModelCatalogue,
    Worker,
    WorkerFinished,
    WorkerLauncher,
)
from services.lora_training.domain.progress import StepReport
from services.lora_training.engine.registry import JobRegistry
from services.lora_training.errors import TrainingFailed
from shared.artifacts import ArtifactStore
from shared.errors import LikenessError
from shared.telemetry import get_logger, queue_depth, stage

_log = get_logger("lora_training.runner")
_DEPTH = queue_depth("lora_training.jobs")
MEDIA_TYPE = "application/x-safetensors"
# Steps come several a second; a record on disk is for restarts only, and the checkpoint knows better.
_SAVE_EVERY_S = 2.0


class Runner:
    """Runs at most `slots` workers; the others wait in order of arrival."""

    def __init__(
        self,
        registry: JobRegistry,
        store: JobStore,
        launcher: WorkerLauncher,
        models: ModelCatalogue,
        artifacts: ArtifactStore,
        slots: int,
    ) -> None:
        """Args: slots: workers at a time, >= 1."""
        self._registry = registry
        self._store = store
        self._launcher = launcher
        self._models = models
        self._artifacts = artifacts
        self._slots = slots
        self._waiting: deque[TrainingJob] = deque()
        self._arrival = asyncio.Event()
        self._active: dict[str, Worker | None] = {}
        self._unwanted: set[str] = set()
        self._ended = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []
        self._endings: set[asyncio.Task[None]] = set()
        # Two jobs may share one content-addressed artifact: storing it and deleting it must not interleave.
        self.artifact_lock = asyncio.Lock()

    @property
    def waiting_count(self) -> int:
        """Jobs in the queue."""
        return len(self._waiting)

    def start(self) -> None:
        """Begin to take jobs."""
        self._tasks = [asyncio.create_task(self._serve()) for _ in range(self._slots)]

    async def stop(self) -> None:
        """Kill the workers; their jobs stay RUNNING and go on from their checkpoints after the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*self._endings)

    def enqueue(self, job: TrainingJob) -> None:
        """Let a job wait for a worker."""
        self._waiting.append(job)
        _DEPTH.set(len(self._waiting))
        self._arrival.set()

    async def withdraw(self, job: TrainingJob) -> None:
        """End a job as cancelled, waiting or running, and wait for it; a job that has ended is left alone."""
        if job.job_id in self._active:
            self._unwanted.add(job.job_id)
            worker = self._active[job.job_id]
            if worker is not None:
                await worker.kill()
            async with self._ended:
                await self._ended.wait_for(lambda: job.job_id not in self._active)
            return
        waiting = [entry for entry in self._waiting if entry.job_id == job.job_id]
        for entry in waiting:
            self._waiting.remove(entry)
            _DEPTH.set(len(self._waiting))
            await self._finish(entry.cancelled(time.time()))

    async def _serve(self) -> None:
        while True:
            while not self._waiting:
                self._arrival.clear()
                await self._arrival.wait()
            job = self._waiting.popleft()
            _DEPTH.set(len(self._waiting))
            self._active[job.job_id] = None
            try:
                with stage("lora_training", "train"):
                    await self._run(job)
            except Exception as error:
                # A defect of ours must cost this job only, not the queue.
                _log.exception("training.runner_failed", training_job=job.name)
                cause = f"the service could not run it ({type(error).__name__})"
                await self._finish(job.failed(_failure(job, cause), time.time()))
            finally:
                self._active.pop(job.job_id, None)
                self._unwanted.discard(job.job_id)
                async with self._ended:
                    self._ended.notify_all()

    async def _run(self, job: TrainingJob) -> None:
        job = job.started(time.time())
        await self._update(job)
        try:
            model = self._models.find(job.base_model)
        except LikenessError as error:
            await self._finish(job.failed(JobFailure.of(error), time.time()))
            return
        worker = await self._launcher.launch(job, self._store.folder(job), model.folder)
        self._active[job.job_id] = worker
        try:
            if job.job_id in self._unwanted:
                await worker.kill()
            await self._follow(job, worker)
        finally:
            # A stop of the service must not interrupt this: the process would be left without a parent.
            ending = asyncio.create_task(worker.kill())
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)
            await asyncio.shield(ending)

    async def _follow(self, job: TrainingJob, worker: Worker) -> None:
        saved_at = time.monotonic()
        async for event in worker.events():
            if isinstance(event, StepReport):
                job = job.stepped(event.step, event.loss, event.remaining_s)
                self._registry.put(job, time.time())
                if time.monotonic() - saved_at > _SAVE_EVERY_S:
                    await asyncio.to_thread(self._store.save, job)
                    saved_at = time.monotonic()
            elif isinstance(event, WorkerFinished):
                await self._succeed(job, event)
            elif job.job_id in self._unwanted:
                await self._finish(job.cancelled(time.time()))
            else:
                await self._finish(job.failed(event, time.time()))

    async def _succeed(self, job: TrainingJob, finished: WorkerFinished) -> None:
        async with self.artifact_lock:
            data = await asyncio.to_thread(finished.adapter_file.read_bytes)
            artifact = await asyncio.to_thread(
                self._artifacts.put, data, tenant=job.tenant, media_type=MEDIA_TYPE
            )
            result = JobResult(artifact, finished.base_model_digest, finished.final_loss)
            await self._finish(job.succeeded(result, time.time()))

    async def _finish(self, job: TrainingJob) -> None:
        await asyncio.to_thread(self._store.save, job)
        if job.state is JobState.SUCCEEDED:
            # A failed job keeps its checkpoints for a new attempt, until it is deleted.
            await asyncio.to_thread(self._store.drop_working_files, job)
        self._registry.put(job, time.time())
        _log.info("training.ended", training_job=job.name, state=str(job.state), steps=job.steps_done)

    async def _update(self, job: TrainingJob) -> None:
        await asyncio.to_thread(self._store.save, job)
        self._registry.put(job, time.time())


def _failure(job: TrainingJob, cause: str) -> JobFailure:
    return JobFailure.of(TrainingFailed(training_job=job.name, cause=cause))
