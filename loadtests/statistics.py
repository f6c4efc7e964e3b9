"""Figures of a load run: throughput, percentiles, histograms."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Served:
    """One finished request, in seconds on the clock of its run.

    Attributes:
        arrived_s: It was asked for.
        first_step_s: Its first step was done, which is the first progress that a caller can see.
        done_s: The picture was there.
    """

    arrived_s: float
    first_step_s: float
    done_s: float


def percentile(values: Sequence[float], percent: float) -> float:
    """Returns a percentile with linear interpolation. Raises: ValueError without values."""
    if not values:
        raise ValueError("no values, no percentile")
    return float(np.percentile(np.asarray(values, dtype=np.float64), percent))


def summary(served: Sequence[Served]) -> dict[str, Any]:
    """Returns throughput, latency and time to first progress of a run. Raises: ValueError without requests.

    Throughput counts from the first arrival to the last picture, so a drained backlog counts against it.
    """
    latencies = [one.done_s - one.arrived_s for one in served]
    firsts = [one.first_step_s - one.arrived_s for one in served]
    wall_s = max(one.done_s for one in served) - min(one.arrived_s for one in served)
    return {
        "image_count": len(served),
        "wall_s": wall_s,
        "images_per_s": len(served) / wall_s,
        "latency_s": _percentiles(latencies),
        "first_progress_s": _percentiles(firsts),
    }


def histogram(sizes: Iterable[int]) -> dict[str, int]:
    """Returns how often each size occurred, by size; keys are text as JSON has no others."""
    return {str(size): count for size, count in sorted(Counter(sizes).items())}


def mean_size(counts: dict[str, int]) -> float:
    """Returns the mean of a histogram; 0 if it is empty."""
    total = sum(counts.values())
    return sum(int(size) * count for size, count in counts.items()) / total if total else 0.0


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    return {
        "mean": float(np.mean(values)),
        **{f"p{percent}": percentile(values, percent) for percent in (50, 95, 99)},
    }
