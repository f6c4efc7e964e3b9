"""The worker process: reads one order from stdin, trains, reports on stdout (see adapters/wire.py)."""

from __future__ import annotations

import fcntl
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from services.lora_training.adapters.file_job_store import WORK, read_order
from services.lora_training.adapters.wire import WorkerOrder, decode_order, encode_event
from services.lora_training.domain.example import TrainingExample
from services.lora_training.domain.job import JobFailure
from services.lora_training.domain.order import StoredPhoto
from services.lora_training.domain.ports import WorkerEvent, WorkerFinished
from services.lora_training.domain.progress import StepReport
from services.lora_training.domain.recipe import Recipe
from shared.errors import LikenessError
from shared.images import decode_image

_SERVICE_IS_GONE = 3


def main() -> None:
    """Run one order. Exit status 0 when it was answered, with a result or with a typed failure."""
    # Libraries print; only our own lines may reach the service, so everything else goes to stderr.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    order = decode_order(sys.stdin.buffer.readline())
    threading.Thread(target=_die_with_service, daemon=True).start()
    os.nice(order.nice)
    with (Path(order.folder) / ".lock").open("w") as lock:
        # A worker whose service was killed may live for a moment more; two must never write one folder.
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            event: WorkerEvent = _train(order, lambda step: _tell(answers, step))
        except LikenessError as error:
            event = JobFailure.of(error)
        _tell(answers, event)


def _train(order: WorkerOrder, on_step: Callable[[StepReport], None]) -> WorkerFinished:
    import torch
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    from services.lora_training.adapters.torch_trainer import TrainingRun, train_adapter

    torch.set_num_threads(order.thread_count)
    diffusers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    folder = Path(order.folder)
    values, photos = read_order(folder)
    run = TrainingRun(
        model_dir=Path(order.model_dir),
        work_dir=folder / WORK,
        recipe=Recipe.from_json(values),
        identity_embedding=mean_embedding(photos),
        on_step=on_step,
    )
    trained = train_adapter([_example(folder, photo) for photo in photos], run)
    file = folder / WORK / "adapter.safetensors"
    file.write_bytes(trained.data)
    return WorkerFinished(file, trained.base_model_sha256, trained.final_loss)


def _example(folder: Path, photo: StoredPhoto) -> TrainingExample:
    image = decode_image((folder / photo.file).read_bytes(), name=photo.file)
    points = photo.landmarks5_px
    return TrainingExample(image, photo.caption, None if points is None else np.array(points, np.float32))


def mean_embedding(photos: list[StoredPhoto]) -> npt.NDArray[np.float32] | None:
    """Return the normalised mean of the normalised embeddings, as inference makes it; None without any."""
    rows = [np.array(photo.embedding, np.float64) for photo in photos if photo.embedding is not None]
    if not rows:
        return None
    mean = np.mean([row / np.linalg.norm(row) for row in rows], axis=0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


def _tell(answers: IO[str], event: WorkerEvent) -> None:
    answers.write(encode_event(event) + "\n")
    answers.flush()


def _die_with_service() -> None:
    """Exit at once when the service closes our stdin or dies: a restarted service starts its own worker."""
    while sys.stdin.buffer.readline():
        pass
    os._exit(_SERVICE_IS_GONE)


if __name__ == "__main__":
    main()
