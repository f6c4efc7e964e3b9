import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from loadtests.fusion.rank_figures import beaten, picked, rank_figures, spearman


def result(similarities, order, facechain, accepted=()):
    ours = [
        {"index": index, "rank": accepted.index(index) + 1 if index in accepted else 0, "score": -place}
        for place, index in enumerate(order)
    ]
    return {
        "candidates": [
            {"index": index, "looks": {"finished": {"similarity": value}}}
            for index, value in enumerate(similarities)
        ],
        "ranking": {"ours": ours, "facechain": facechain, "gate": 0.5},
    }


def test_the_first_with_a_face_is_picked():
    known = result([None, 0.4, 0.6], [0, 2, 1], [1])

    assert picked(known, [0, 2, 1]) == 2
    assert picked(known, [0]) is None


def test_a_candidate_beats_those_less_like_and_those_without_a_face():
    known = result([None, 0.4, 0.6, 0.4], [0, 1, 2, 3], [1])

    assert beaten(known, 1) == [1.0, 0.0, 0.5]
    assert beaten(known, 2) == [1.0, 1.0, 1.0]


def test_the_best_order_beats_everybody_and_loses_nothing_to_the_best():
    perfect = result([0.1, 0.2, 0.9], [2, 1, 0], [0, 1, 2], accepted=[2])

    found = rank_figures({1: perfect})

    assert found["beats_random"]["value"] == 1.0
    assert found["facechain_beats_random"]["value"] == 0.0
    assert found["over_facechain"]["value"] == pytest.approx(0.8)
    assert found["under_best"]["value"] == 0.0
    assert found["agreement"]["value"] == pytest.approx(1.0)
    assert found["accepted_share"]["value"] == pytest.approx(1 / 3)
    assert found["people_without"] == 0


def test_a_person_without_any_face_is_left_out_but_counted_as_without_portrait():
    found = rank_figures({1: result([None, None], [0, 1], []), 2: result([0.3, 0.2], [0, 1], [0], [0])})

    assert found["beats_random"]["people"] == 1
    assert found["people_without"] == 1


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=20))
def test_rank_correlation_is_scipys(pairs):
    first, second = np.array(pairs, float).T
    ours = spearman(list(first), list(second))

    if np.ptp(first) == 0 or np.ptp(second) == 0:
        assert np.isnan(ours)
    else:
        assert ours == pytest.approx(spearmanr(first, second).statistic, abs=1e-9)
