"""Concurrent work whose first failure ends it all."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def together(work: Iterable[Coroutine[Any, Any, T]], limit: int | None = None) -> list[T]:
    """Do all the work at once, or ``limit`` pieces at a time; return the results in order.

    The first failure cancels the rest and is raised as it is, not in a group.
    """
    gate = asyncio.Semaphore(limit) if limit is not None else None

    async def gated(piece: Coroutine[Any, Any, T]) -> T:
        if gate is None:
            return await piece
        try:
            async with gate:
                return await piece
        finally:
            piece.close()

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(gated(piece)) for piece in work]
    except BaseExceptionGroup as failures:
        raise _first(failures) from None
    return [task.result() for task in tasks]


def _first(failure: BaseException) -> BaseException:
    return _first(failure.exceptions[0]) if isinstance(failure, BaseExceptionGroup) else failure
