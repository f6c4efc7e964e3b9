"""Spread a render job over processes; each owns an OpenGL context, so they are spawned, not forked."""

import multiprocessing
import os
import queue
from collections.abc import Iterator

from starter.heads.dataset import Key, RenderJob, render_share

_POLL_S = 1.0
Message = Key | str
"""A finished picture, or the text of the error that ended a worker."""


class WorkerFailedError(RuntimeError):
    """A worker ended before its share was done; what it had written stays, and a second run goes on."""


def render_all(job: RenderJob, workers: int) -> Iterator[Key]:
    """Draw the whole job and yield each finished picture; one worker means this process.

    Raises: NoGraphicsError with one worker, WorkerFailedError with several.
    """
    if workers <= 1:
        yield from render_share(job)
        return
    context = multiprocessing.get_context("spawn")
    messages: multiprocessing.Queue[Message] = context.Queue()
    processes = [context.Process(target=_work, args=(job, w, workers, messages)) for w in range(workers)]
    for process in processes:
        process.start()
    try:
        while any(process.is_alive() for process in processes) or not messages.empty():
            try:
                message = messages.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            if isinstance(message, str):
                raise WorkerFailedError(message)
            yield message
        if any(process.exitcode for process in processes):
            raise WorkerFailedError(f"exit codes {[process.exitcode for process in processes]}")
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _work(job: RenderJob, worker: int, workers: int, messages: "multiprocessing.Queue[Message]") -> None:
    os.environ["LP_NUM_THREADS"] = "1"  # llvmpipe would start a thread per core in every process
    try:
        for key in render_share(job, worker, workers):
            messages.put(key)
    except Exception as error:
        messages.put(str(error))
