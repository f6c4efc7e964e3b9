"""How many threads torch may use from which thread of ours."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import torch


def bound_torch_threads(budgets: Mapping[ThreadPoolExecutor, int]) -> None:
    """Let each one-thread executor compute with its own number of torch threads; the caller's stays.

    torch takes the number that the computing thread itself has set, and a thread that asks for the first time
    takes the one that was set last anywhere: so each asks, then sets its own, and the caller sets its own
    again at the end.
    """
    own = torch.get_num_threads()
    for executor, thread_count in budgets.items():
        executor.submit(torch.get_num_threads).result()
        executor.submit(torch.set_num_threads, thread_count).result()
    torch.set_num_threads(own)
