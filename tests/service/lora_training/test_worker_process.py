"""The real worker process: trains, dies, resumes, without costing more than its own job."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from likeness.lora_training.v1 import lora_training_pb2 as pb

from services.lora_training.adapters.worker_process import ProcessLauncher, ProcessWorker
from services.lora_training.domain.job import TrainingJob
from services.lora_training.domain.recipe import Recipe
from tests.service.lora_training.conftest import Start, finished, order, state, watched


class SpyLauncher:
    """The real launcher; remembers the workers it started."""

    def __init__(self) -> None:
        self._launcher = ProcessLauncher(thread_count=1, nice=0)
        self.workers: list[ProcessWorker] = []

    async def launch(self, job: TrainingJob, folder: Path, model_dir: Path) -> ProcessWorker:
        self.workers.append(await self._launcher.launch(job, folder, model_dir))
        return self.workers[-1]


async def until_step(stub: Any, name: str, step: int) -> None:
    async for event in stub.WatchTrainingJob(pb.WatchTrainingJobRequest(name=name)):
        if event.training_job.steps_done >= step:
            return
    raise AssertionError(f"{name} ended before step {step}")


def undisturbed(request: pb.CreateTrainingJobRequest, model: Path, work: Path, every: int) -> bytes:
    """What the trainer makes of the same order in this process, without jobs and interruptions."""
    import torch

    from services.lora_training.adapters.torch_trainer import TrainingRun, train_adapter
    from services.lora_training.convert import order_from_proto
    from services.lora_training.domain.example import TrainingExample
    from shared.images import decode_image

    work.mkdir()
    ordered = order_from_proto(request)
    examples = [
        TrainingExample(decode_image(p.data or b"", name=""), "a man", np.array(p.landmarks5_px, np.float32))
        for p in ordered.photos
    ]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        recipe = ordered.recipe({"checkpoint_every": every})
        return train_adapter(examples, TrainingRun(model, work, recipe)).data
    finally:
        torch.set_num_threads(threads)


async def test_a_killed_worker_fails_its_job_alone_and_a_new_attempt_ends_with_undisturbed_bytes(
    start: Start, tiny_model: Path, tmp_path: Path
) -> None:
    launcher = SpyLauncher()
    harness = await start(launcher, checkpoint_every_steps=10)
    request = order(options=pb.TrainingOptions(step_count=80, batch_size=1, rank=2))
    doomed = await harness.stub.CreateTrainingJob(request)
    await until_step(harness.stub, doomed.name, 12)
    os.kill(launcher.workers[0].pid, signal.SIGKILL)
    failed = await finished(harness.stub, doomed.name)
    assert state(failed) == "JOB_STATE_FAILED"
    assert failed.error.reason == "TRAINING_FAILED" and "signal 9" in failed.error.message
    again = await harness.stub.CreateTrainingJob(request)
    events = await watched(harness.stub, again.name)
    assert next(e.training_job.steps_done for e in events if e.training_job.steps_done) > 10
    assert state(events[-1].training_job) == "JOB_STATE_SUCCEEDED"
    assert harness.artifacts()[0].read_bytes() == undisturbed(request, tiny_model, tmp_path / "alone", 10)


async def test_cancel_ends_the_process_and_the_service_answers_meanwhile(start: Start) -> None:
    launcher = SpyLauncher()
    harness = await start(launcher)
    options = pb.TrainingOptions(step_count=5000, batch_size=1, rank=2)
    job = await harness.stub.CreateTrainingJob(order(options=options))
    await until_step(harness.stub, job.name, 2)
    await harness.stub.GetTrainingJob(pb.GetTrainingJobRequest(name=job.name), timeout=30)
    cancelled = await harness.stub.CancelTrainingJob(pb.CancelTrainingJobRequest(name=job.name), timeout=60)
    assert state(cancelled) == "JOB_STATE_CANCELLED" and cancelled.steps_done < 5000
    with pytest.raises(ProcessLookupError):
        os.kill(launcher.workers[0].pid, 0)


async def test_a_failure_of_the_trainer_reaches_the_client_with_its_own_reason(start: Start) -> None:
    harness = await start(SpyLauncher())
    job = await harness.stub.CreateTrainingJob(order(caption="a b c d e f g h i j k l m n o p q r s"))
    failed = await finished(harness.stub, job.name)
    assert failed.error.reason == "PROMPT_TOO_LONG" and failed.error.metadata["limit"] == "16"


@pytest.mark.slow
async def test_an_interrupted_training_goes_on_after_a_restart_of_the_service(start: Start) -> None:
    first = await start(SpyLauncher(), checkpoint_every_steps=10)
    options = pb.TrainingOptions(step_count=60, batch_size=1)
    job = await first.stub.CreateTrainingJob(order(options=options))
    await until_step(first.stub, job.name, 12)
    await first.server.stop(grace_s=0)
    second = await start(SpyLauncher(), checkpoint_every_steps=10)
    events = await watched(second.stub, job.name)
    assert state(events[0].training_job) == "JOB_STATE_RUNNING"
    assert state(events[-1].training_job) == "JOB_STATE_SUCCEEDED"


async def test_a_worker_dies_with_its_service(tmp_path: Path) -> None:
    job = TrainingJob("a1", "acme", "identities/ada", "tiny", Recipe(), "0", "", 0.0)
    worker = await SpyLauncher().launch(job, tmp_path, tmp_path)
    assert worker._process.stdin is not None
    worker._process.stdin.close()
    assert await asyncio.wait_for(worker._process.wait(), 60) == 3
    await worker.kill()
