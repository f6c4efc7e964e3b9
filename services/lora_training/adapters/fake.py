"""A worker that trains nothing: same events, files and endings as the real one, for tests and load runs."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import safetensors.numpy

from services.lora_training.adapters.file_job_store import ORDER, WORK
from services.lora_training.domain.job import JobFailure, TrainingJob
from services.lora_training.domain.ports import WorkerEvent, WorkerFinished
from services.lora_training.domain.progress import StepReport
from services.lora_training.errors import TrainingFailed

_KILLED = "its worker was killed by signal 9"


@dataclass
class FakeLauncher:
    """`WorkerLauncher` whose workers take `step_s` a step and make a small adapter of the order's bytes.

    Attributes:
        step_s: seconds a step takes.
        pause_at_step: a worker waits after this step until `resume` is set; None never waits.
        resume: see above.
        workers: all workers so far, the newest last.
    """

    step_s: float = 0.0
    pause_at_step: int | None = None
    resume: asyncio.Event = field(default_factory=asyncio.Event)
    workers: list[FakeWorker] = field(default_factory=list)

    async def launch(self, job: TrainingJob, folder: Path, model_dir: Path) -> FakeWorker:
        """See `WorkerLauncher.launch`."""
        self.workers.append(FakeWorker(self, job, folder))
        return self.workers[-1]


class FakeWorker:
    """`Worker` in this process; checkpoints hold the number of done steps."""

    def __init__(self, launcher: FakeLauncher, job: TrainingJob, folder: Path) -> None:
        self._launcher = launcher
        self._job = job
        self._folder = folder
        self._killed = asyncio.Event()
        self.first_step = 0

    async def events(self) -> AsyncIterator[WorkerEvent]:
        """See `Worker.events`."""
        steps = self._job.recipe.steps
        checkpoints = self._folder / WORK / "checkpoints"
        checkpoints.mkdir(exist_ok=True)
        self.first_step = max((int(path.name) for path in checkpoints.glob("[0-9]*")), default=0)
        for step in range(self.first_step + 1, steps + 1):
            if await self._is_killed_within_step(step):
                yield JobFailure.of(TrainingFailed(training_job=self._job.name, cause=_KILLED))
                return
            if step % self._job.recipe.checkpoint_every == 0:
                (checkpoints / f"{step:08d}").mkdir(exist_ok=True)
            yield StepReport(step, steps, 1.0 / step, self._launcher.step_s * (steps - step))
        yield self._result()

    async def kill(self) -> None:
        """See `Worker.kill`."""
        self._killed.set()

    async def _is_killed_within_step(self, step: int) -> bool:
        await asyncio.sleep(self._launcher.step_s)
        pause = self._launcher.pause_at_step
        if pause is not None and step > pause and not self._launcher.resume.is_set():
            waits = [asyncio.ensure_future(e.wait()) for e in (self._killed, self._launcher.resume)]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
        return self._killed.is_set()

    def _result(self) -> WorkerFinished:
        digest = hashlib.sha256((self._folder / ORDER).read_bytes()).digest()
        weights = np.frombuffer(digest, np.uint8).astype(np.float32)[None] / 255
        file = self._folder / WORK / "adapter.safetensors"
        metadata = {"rank": json.dumps(self._job.recipe.rank)}
        file.write_bytes(safetensors.numpy.save({"unet.fake.to_q.lora_A.weight": weights}, metadata=metadata))
        return WorkerFinished(file, hashlib.sha256(b"fake model").hexdigest(), 1.0 / self._job.recipe.steps)
