"""How a pipeline server forms batches: of what waits, alike in adapters and steps."""

from collections.abc import Sequence
from typing import TypeVar

from loadtests.traffic import LoadRequest

ItemT = TypeVar("ItemT")


def take_batch(waiting: list[ItemT], requests: Sequence[LoadRequest], max_batch: int) -> list[ItemT]:
    """Removes from *waiting* the oldest entry and those that may share its pipeline call, and returns them.

    Args:
        waiting: Entries in order of arrival, not empty.
        requests: The request of each entry, in the same order.
        max_batch: Most entries of a call.
    """
    oldest = requests[0]
    alike = [
        place
        for place, request in enumerate(requests)
        if (request.adapters, request.step_count) == (oldest.adapters, oldest.step_count)
    ][:max_batch]
    batch = [waiting[place] for place in alike]
    for place in reversed(alike):
        del waiting[place]
    return batch
