"""Requests and arrivals are the same for every system and fixed by their seed."""

import numpy as np
import pytest

from loadtests.traffic import STEP_COUNTS, make_requests, poisson_arrivals


def test_the_same_seed_gives_the_same_requests_and_another_one_others() -> None:
    first = make_requests(50, identity_count=64, seed=1)
    assert first == make_requests(50, identity_count=64, seed=1)
    assert first != make_requests(50, identity_count=64, seed=2)


def test_every_choice_occurs_and_none_is_out_of_range() -> None:
    requests = make_requests(2000, identity_count=64, seed=3)
    assert {request.identity for request in requests} == set(range(64))
    assert {request.style for request in requests} == set(range(4))
    assert {request.step_count for request in requests} == set(STEP_COUNTS)
    assert len({request.seed for request in requests}) == 2000


def test_without_a_number_every_request_has_an_identity_of_its_own() -> None:
    requests = make_requests(30, identity_count=None, seed=1)
    assert [request.identity for request in requests] == list(range(30))


def test_arrivals_are_poisson_at_the_rate() -> None:
    requests = make_requests(4000, identity_count=1, seed=1)
    arrivals = np.array([request.arrival_s for request in poisson_arrivals(requests, 5.0, seed=2)])
    gaps = np.diff(arrivals)
    assert (gaps > 0).all()
    assert np.mean(gaps) == pytest.approx(1 / 5, rel=0.05)
    # Exponential gaps: the standard deviation is the mean, and so many exceed twice the mean.
    assert np.std(gaps) == pytest.approx(np.mean(gaps), rel=0.05)
    assert np.mean(gaps > 2 / 5) == pytest.approx(np.exp(-2), abs=0.02)


def test_another_rate_only_stretches_the_arrivals_and_fewer_requests_keep_theirs() -> None:
    requests = make_requests(20, identity_count=1, seed=1)
    slow, fast = (poisson_arrivals(requests, rate, seed=2) for rate in (1.0, 4.0))
    assert [4 * request.arrival_s for request in fast] == pytest.approx(
        [request.arrival_s for request in slow]
    )
    assert poisson_arrivals(requests[:5], 1.0, seed=2) == slow[:5]


def test_a_rate_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        poisson_arrivals([], 0.0, seed=1)
