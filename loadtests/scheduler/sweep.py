"""Every system at every arrival rate and number of identities."""

from collections.abc import Callable, Iterator
from typing import Any

from loadtests.scheduler import baselines
from loadtests.scheduler.baselines import Outcome
from loadtests.scheduler.curve import MAX_BATCH, SINGLE_CALL_S, call_s
from loadtests.scheduler.engine import EngineOutcome, step_level_batching
from loadtests.statistics import histogram, mean_size, summary
from loadtests.traffic import STEP_COUNTS, LoadRequest, make_requests, poisson_arrivals

ENGINE = "likeness"
# None: every request has an identity of its own.
IDENTITY_COUNTS: tuple[int | None, ...] = (1, 4, 64, None)
# Arrival rates as multiples of what one picture at a time can serve; the last one is saturation.
LOADS = (0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 3.0, 5.0)
ONE_AT_A_TIME_PER_S = 1 / (SINGLE_CALL_S * sum(STEP_COUNTS) / len(STEP_COUNTS))
SEED = 4

SYSTEMS: dict[str, Callable[[list[LoadRequest]], Outcome]] = {
    ENGINE: lambda requests: step_level_batching(requests, call_s, MAX_BATCH),
    "per adapter": lambda requests: baselines.per_adapter_batching(requests, call_s, MAX_BATCH),
    "static": lambda requests: baselines.static_batching(requests, call_s, MAX_BATCH),
    "one at a time": lambda requests: baselines.one_at_a_time(requests, call_s),
}


def sweep(request_count: int, loads: tuple[float, ...] = LOADS) -> Iterator[dict[str, Any]]:
    """Yields one point per system, load and number of identities, with the same requests for each system."""
    for identity_count in IDENTITY_COUNTS:
        requests = make_requests(request_count, identity_count=identity_count, seed=SEED)
        for load in loads:
            arriving = poisson_arrivals(requests, load * ONE_AT_A_TIME_PER_S, SEED)
            for name, run in SYSTEMS.items():
                yield _point(name, identity_count, load, run(arriving))


def _point(name: str, identity_count: int | None, load: float, outcome: Outcome) -> dict[str, Any]:
    sizes = histogram(outcome.batch_sizes)
    point = {
        "system": name,
        "identities": identity_count or "all different",
        "load": load,
        "rate_per_s": load * ONE_AT_A_TIME_PER_S,
        **summary(list(outcome.served.values())),
        "batch_sizes": sizes,
        "mean_batch": mean_size(sizes),
    }
    if isinstance(outcome, EngineOutcome):
        point["adapters_per_call"] = histogram(outcome.adapters_per_call)
        point["own_ms_per_call"] = 1000 * outcome.own_s / len(outcome.batch_sizes)
    return point
