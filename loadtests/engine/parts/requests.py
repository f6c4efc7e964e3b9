"""The request lists that all sections share."""

from loadtests.engine.scale import SEED, Scale
from loadtests.traffic import LoadRequest, make_requests, poisson_arrivals


def all_requests(scale: Scale) -> list[LoadRequest]:
    """Returns one list; every part takes the first so many of it, so all systems get the same."""
    count = max(scale.closed_count, scale.sweep_count, scale.own_sweep_count)
    return make_requests(count, identity_count=scale.identity_count, seed=SEED, step_counts=scale.step_counts)


def arriving(scale: Scale, count: int, rate_per_s: float) -> list[LoadRequest]:
    """Returns the first *count* requests with Poisson arrivals; fewer of them have the same arrivals."""
    return poisson_arrivals(all_requests(scale)[:count], rate_per_s, SEED)
