import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.common.intervals import mean_of_people, ratio_of_people, wilson

values = st.floats(-10, 10, allow_nan=False)
people = st.dictionaries(st.integers(0, 50), st.lists(values, min_size=1, max_size=6), min_size=1, max_size=8)


@given(people)
def test_the_mean_is_that_of_all_values_and_lies_in_its_interval_of_equal_sized_people(known):
    found = mean_of_people(known)

    flat = [value for one in known.values() for value in one]
    assert found.value == pytest.approx(np.mean(flat), abs=1e-9)
    assert (found.people, found.count) == (len(known), len(flat))
    assert found.low <= found.high


def test_pictures_of_one_person_count_as_one_draw():
    rng = np.random.default_rng(1)
    means = rng.normal(size=40)
    alike = {n: [mean] * 20 for n, mean in enumerate(means)}
    single = {n: [mean] for n, mean in enumerate(means)}

    wide, same = mean_of_people(alike), mean_of_people(single)

    assert wide.high - wide.low == pytest.approx(same.high - same.low)
    naive = 2 * 1.96 * np.std(means) / np.sqrt(800)
    assert wide.high - wide.low > 3 * naive


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(200):
        centres = rng.normal(0.3, 0.2, 30)
        found = mean_of_people({n: list(rng.normal(c, 0.1, 5)) for n, c in enumerate(centres)})
        hits += found.low <= 0.3 <= found.high

    assert 0.88 <= hits / 200 <= 0.99


def test_a_ratio_weighs_people_by_their_denominators():
    found = ratio_of_people({1: [(1, 1), (1, 1), (1, 1)], 2: [(0, 1)]})

    assert found.value == 0.75
    assert (found.low, found.high) == (0.0, 1.0)


@pytest.mark.parametrize("known", [{}, {1: []}, {1: [(0.0, 0.0)]}])
def test_no_values_give_no_figure(known):
    with pytest.raises(ValueError, match="no values"):
        ratio_of_people(known)


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_a_share_lies_in_its_interval_which_is_never_empty(count, share):
    hits = round(share * count)

    low, high = wilson(hits, count)

    assert 0 <= low <= hits / count <= high <= 1
    assert high > low


def test_no_hit_in_n_trials_bounds_the_share_by_about_four_over_n():
    assert wilson(0, 1000)[1] == pytest.approx(3.83e-3, rel=0.01)
    with pytest.raises(ValueError, match="no trials"):
        wilson(0, 0)
