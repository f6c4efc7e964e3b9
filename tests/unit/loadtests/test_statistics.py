"""Figures of a load run, on numbers that can be checked by hand."""

import pytest

from loadtests.engine.memory import growth
from loadtests.statistics import Served, histogram, mean_size, percentile, summary


def test_percentiles_interpolate() -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], 50) == 2.5
    assert percentile([1.0], 99) == 1.0
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_summary_of_two_requests() -> None:
    result = summary([Served(1.0, 2.0, 3.0), Served(2.0, 2.5, 6.0)])
    assert result["image_count"] == 2
    assert result["wall_s"] == 5.0
    assert result["images_per_s"] == pytest.approx(0.4)
    assert result["latency_s"]["mean"] == 3.0
    assert result["latency_s"]["p50"] == 3.0
    assert result["first_progress_s"]["p95"] == pytest.approx(0.975)


def test_histogram_counts_by_size() -> None:
    counts = histogram([2, 16, 2])
    assert counts == {"2": 2, "16": 1}
    assert mean_size(counts) == pytest.approx(20 / 3)
    assert mean_size({}) == 0


def test_memory_that_settles_is_flat_and_a_leak_is_not() -> None:
    flat = [100.0, 300.0, 400.0, 400.0, 402.0, 399.0, 400.0, 400.0]
    assert growth(flat)["percent"] == pytest.approx(0.0, abs=0.3)
    leak = [400.0 + 10 * block for block in range(40)]
    assert growth(leak)["percent"] > 20
    with pytest.raises(ValueError, match="eight"):
        growth(flat[:7])
