"""Whether memory stays flat over many pictures."""

import os
import statistics
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def resident_mib() -> float:
    """Returns this process's resident memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_BYTES / 2**20


def growth(samples: list[float]) -> dict[str, float]:
    """Returns how much resident memory grew, in MiB and in percent.

    Compares the median of the last quarter of *samples* with that of the second: the first quarter is for
    allocators and caches to settle. Raises: ValueError for fewer than eight samples.
    """
    if len(samples) < 8:
        raise ValueError("growth needs at least eight samples")
    quarter = len(samples) // 4
    early = statistics.median(samples[quarter : 2 * quarter])
    late = statistics.median(samples[-quarter:])
    return {"early_mib": early, "late_mib": late, "percent": 100 * (late / early - 1)}
