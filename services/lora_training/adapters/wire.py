"""The protocol between the service and a worker: one JSON object a line, on pipes.

To the worker: one `WorkerOrder`; then nothing. The end of that pipe means that the service is gone.
From the worker: "step" lines, then one "finished" or "failed" line.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from services.lora_training.domain.job import JobFailure
from services.lora_training.domain.ports import WorkerEvent, WorkerFinished
from services.lora_training.domain.progress import StepReport


@dataclass(frozen=True)
class WorkerOrder:
    """What a worker is told.

    Attributes:
        folder: the job's folder.
        model_dir: Stable Diffusion folder.
        thread_count: torch threads; part of what makes results repeatable.
        nice: how far the worker steps back behind the services, 0 to 19.
    """

    folder: str
    model_dir: str
    thread_count: int
    nice: int


def encode_order(order: WorkerOrder) -> bytes:
    """Return the line for an order."""
    return json.dumps(asdict(order)).encode() + b"\n"


def decode_order(line: bytes | str) -> WorkerOrder:
    """Read an order's line."""
    return WorkerOrder(**json.loads(line))


def encode_event(event: WorkerEvent) -> str:
    """Return the line for an event, without the newline."""
    if isinstance(event, StepReport):
        return json.dumps({"event": "step", **asdict(event)})
    if isinstance(event, WorkerFinished):
        return json.dumps({"event": "finished", **asdict(event), "adapter_file": str(event.adapter_file)})
    return json.dumps({"event": "failed", **asdict(event)})


def decode_event(line: bytes | str) -> WorkerEvent:
    """Read an event's line. Raises: ValueError for anything else."""
    values = json.loads(line)
    match values.pop("event", None):
        case "step":
            return StepReport(**values)
        case "finished":
            return WorkerFinished(**{**values, "adapter_file": Path(values["adapter_file"])})
        case "failed":
            return JobFailure(**values)
    raise ValueError("not an event of a worker")
