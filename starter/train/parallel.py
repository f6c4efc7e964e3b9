"""Data-parallel training by single-threaded processes.

Two processes that meet once per step use two busy cores far better than one process with two
threads, which meet at every operation.
"""

from __future__ import annotations

import importlib
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

import torch
import torch.distributed as dist
from torch import Tensor
from torch.multiprocessing.spawn import spawn

MODULE = "starter.train.{model}"
_LONGEST_WAIT = timedelta(hours=12)
"""For the first process, which may have a large data set to encode."""


def rank() -> int:
    """Number of this process, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def world() -> int:
    """Number of processes that train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


@contextmanager
def first_process_first() -> Iterator[None]:
    """The first process runs the block alone; the others enter it when it is through."""
    if world() > 1 and rank() > 0:
        dist.barrier()
    yield
    if world() > 1 and rank() == 0:
        dist.barrier()


def average_gradients(parameters: Sequence[Tensor], wants_stop: bool) -> bool:
    """Average the gradients over all processes; returns whether any of them wants to stop.

    The exchange is in bfloat16, as precise as the backward pass that made them.
    """
    if world() == 1:
        return wants_stop
    gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
    flat = torch.cat(
        [*(g.flatten().bfloat16() for g in gradients), torch.tensor([float(wants_stop)]).bfloat16()]
    )
    dist.all_reduce(flat)
    offset = 0
    for parameter in parameters:
        piece = flat[offset : offset + parameter.numel()].float().view_as(parameter)
        parameter.grad = piece.div_(world())
        offset += parameter.numel()
    return bool(flat[-1] > 0)


def shared_out(costs: Sequence[float], count: int) -> list[int]:
    """The process that does each piece of work, so that all finish at about the same time."""
    owners, loads = [0] * len(costs), [0.0] * count
    for piece in sorted(range(len(costs)), key=lambda i: -costs[i]):
        owners[piece] = loads.index(min(loads))
        loads[owners[piece]] += costs[piece]
    return owners


def each_once(
    compute: Callable[[Tensor], Tensor], inputs: Sequence[Tensor], costs: Sequence[float]
) -> list[Tensor]:
    """`compute` of each input, bfloat16 in the input's shape: computed by one process, known to all."""
    if world() == 1:
        return [compute(tensor) for tensor in inputs]
    owners = shared_out(costs, world())
    # What a process does not own is zero, so that the sum over processes is each result itself.
    flat = torch.zeros(sum(tensor.numel() for tensor in inputs), dtype=torch.bfloat16)
    results = [
        piece.view_as(tensor)
        for piece, tensor in zip(flat.split([tensor.numel() for tensor in inputs]), inputs, strict=True)
    ]
    for owner, result, tensor in zip(owners, results, inputs, strict=True):
        if owner == rank():
            result.copy_(compute(tensor))
    dist.all_reduce(flat)
    return results


Argument = Path | int | str | Sequence[str] | None


def _work(number: int, count: int, meeting_point: str, model: str, options: Mapping[str, Argument]) -> None:
    """One process: meet the others, then train `model` with `options`."""
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo",
        init_method=f"file://{meeting_point}",
        rank=number,
        world_size=count,
        timeout=_LONGEST_WAIT,
    )
    importlib.import_module(MODULE.format(model=model)).train(**options)
    dist.destroy_process_group()


def train_in_processes(count: int, model: str, options: Mapping[str, Argument]) -> None:
    """Run `starter.train.<model>.train(**options)` in `count` processes that share each batch."""
    os.environ["OMP_NUM_THREADS"] = "1"
    with NamedTemporaryFile() as file:
        meeting_point = f"{file.name}.gloo"
        arguments = (count, meeting_point, model, options)
        context = spawn(_work, arguments, nprocs=count, join=False)
        signal.signal(signal.SIGTERM, lambda *_: [process.terminate() for process in context.processes])
        while not context.join():
            pass
    Path(meeting_point).unlink(missing_ok=True)
