"""Each training in a process of its own: a crash costs one job, and the server never imports torch."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import services
from services.lora_training.adapters.wire import WorkerOrder, decode_event, encode_order
from services.lora_training.domain.job import JobFailure, TrainingJob
from services.lora_training.domain.ports import WorkerEvent
from services.lora_training.domain.progress import StepReport
from services.lora_training.errors import TrainingFailed
from shared.telemetry import get_logger

_log = get_logger("lora_training.worker")
_MODULE = "services.lora_training.worker"
_LOGGED_LINES = 30


@dataclass(frozen=True)
class ProcessLauncher:
    """`WorkerLauncher` that starts `python -m services.lora_training.worker`.

    Attributes:
        thread_count: torch threads of a worker.
        nice: how far workers step back behind the services, 0 to 19.
    """

    thread_count: int
    nice: int

    async def launch(self, job: TrainingJob, folder: Path, model_dir: Path) -> ProcessWorker:
        """See `WorkerLauncher.launch`."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            _MODULE,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=_environment(self.thread_count),
            start_new_session=True,  # Ctrl-C at the terminal must reach the server alone
        )
        order = WorkerOrder(str(folder.resolve()), str(model_dir.resolve()), self.thread_count, self.nice)
        assert process.stdin is not None
        process.stdin.write(encode_order(order))
        _log.info("training.worker_started", training_job=job.name, pid=process.pid)
        return ProcessWorker(job, process)


class ProcessWorker:
    """`Worker` over a process."""

    def __init__(self, job: TrainingJob, process: Process) -> None:
        """Args: process: started, with its order written."""
        self._job = job
        self._process = process
        self._stderr: deque[str] = deque(maxlen=_LOGGED_LINES)
        self._reader = asyncio.create_task(self._read_stderr())

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    async def events(self) -> AsyncIterator[WorkerEvent]:
        """See `Worker.events`."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            event = decode_event(line)
            yield event
            if not isinstance(event, StepReport):
                return
        code = await self._process.wait()
        await self._reader
        _log.error("training.worker_died", training_job=self._job.name, code=code, stderr=list(self._stderr))
        yield JobFailure.of(TrainingFailed(training_job=self._job.name, cause=_cause(code)))

    async def kill(self) -> None:
        """See `Worker.kill`."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reader
        # asyncio closes the pipes by itself only when the loop lives on, and has no public call for it.
        self._process._transport.close()  # type: ignore[attr-defined]
        await asyncio.sleep(0)

    async def _read_stderr(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self._stderr.append(line.decode(errors="replace").rstrip())


def _cause(code: int) -> str:
    if code >= 0:
        return f"its worker exited with status {code}"
    hint = ", as the system does when memory runs out" if -code == signal.SIGKILL else ""
    return f"its worker was killed by signal {-code}{hint}"


def _environment(thread_count: int) -> dict[str, str]:
    """The server's environment with the worker's own thread numbers, offline, and our code on the path."""
    root = str(Path(next(iter(services.__path__))).parent)
    return {
        **os.environ,
        "OMP_NUM_THREADS": str(thread_count),
        "OMP_WAIT_POLICY": "PASSIVE",
        "GOMP_SPINCOUNT": "0",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")])),
    }
