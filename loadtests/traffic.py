"""What is asked for in a benchmark: the same list of requests for every system, fixed by a seed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

STEP_COUNTS = (8, 20, 30)
STYLE_COUNT = 4


@dataclass(frozen=True)
class LoadRequest:
    """One picture: which identity in which style, how many steps, and when it is asked for.

    Attributes:
        index: Place in the list, from 0.
        identity: Number of the identity adapter, from 0.
        style: Number of the style adapter, from 0.
        step_count: Denoising steps.
        seed: Seed of the noise.
        arrival_s: Seconds after the start; 0 in a closed loop, where the load decides.
    """

    index: int
    identity: int
    style: int
    step_count: int
    seed: int
    arrival_s: float = 0.0

    @property
    def adapters(self) -> tuple[int, int]:
        """What two requests must share to run in one batch of a system that has one adapter set at a time."""
        return self.identity, self.style


def make_requests(
    count: int,
    *,
    identity_count: int | None,
    seed: int,
    style_count: int = STYLE_COUNT,
    step_counts: Sequence[int] = STEP_COUNTS,
) -> list[LoadRequest]:
    """Draws *count* requests; every choice is uniform.

    Args:
        count: Number of requests.
        identity_count: Identities to draw from; None gives every request one of its own.
        seed: Seed of all choices.
        style_count: Styles to draw from.
        step_counts: Step counts to draw from.
    """
    random = np.random.default_rng(seed)
    identities = np.arange(count) if identity_count is None else random.integers(identity_count, size=count)
    styles = random.integers(style_count, size=count)
    steps = random.choice(np.array(step_counts), size=count)
    return [
        LoadRequest(index, int(identities[index]), int(styles[index]), int(steps[index]), seed=index)
        for index in range(count)
    ]


def poisson_arrivals(requests: Sequence[LoadRequest], rate_per_s: float, seed: int) -> list[LoadRequest]:
    """Gives the requests independent arrivals at *rate_per_s* on average, in their order.

    The same seed gives the same pattern at every rate, only stretched. Raises: ValueError for a rate of 0
    or below.
    """
    if rate_per_s <= 0:
        raise ValueError(f"a rate must be positive, not {rate_per_s}")
    gaps = np.random.default_rng(seed).exponential(size=len(requests)) / rate_per_s
    arrivals = np.cumsum(gaps)
    return [
        replace(request, arrival_s=float(arrival))
        for request, arrival in zip(requests, arrivals, strict=True)
    ]
