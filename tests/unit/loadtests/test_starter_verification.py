from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.starter.measures.verification import (
    NO_FACE,
    Scores,
    accuracies,
    balanced,
    best_threshold,
    pair_shares,
    scores_of,
)

cosines = st.floats(-1, 1, allow_nan=False)


def test_a_threshold_between_own_and_strangers_tells_all_right():
    people = {n: Scores((0.8, 0.7), (0.1, 0.3, 0.2)) for n in range(4)}

    assert accuracies(people) == {n: [1.0] for n in range(4)}
    assert best_threshold(list(people.values())) == pytest.approx(0.5)


def test_the_threshold_comes_from_the_others():
    # Alone, person 2 could be told by 0.9; the others say 0.5, above which all of its strangers are.
    people = {0: Scores((0.8,), (0.2,)), 1: Scores((0.8,), (0.2,)), 2: Scores((0.95,), (0.85, 0.7))}

    assert accuracies(people)[2] == [0.5]


def test_own_and_strangers_weigh_the_same_however_many_there_are():
    assert balanced(Scores((0.9, 0.1), (0.2,) * 100), 0.5) == pytest.approx(0.75)


def test_a_portrait_without_a_face_is_a_guess():
    template, stranger = np.array([1.0, 0.0]), np.array([0.0, 1.0])

    scores = scores_of([None, np.array([1.0, 0.0])], template, [stranger])

    assert scores == Scores((NO_FACE, 1.0), (NO_FACE, 0.0))
    assert balanced(scores, 0.5) == 0.75
    # Pairs of (own, stranger): -1 against -1 is a tie, -1 against 0 lost, 1 against both won.
    assert pair_shares({7: scores}) == {7: [pytest.approx(2.5 / 4)]}


def test_people_without_strangers_are_left_out():
    people = {0: Scores((0.9,), (0.1,)), 1: Scores((0.9,), (0.1,)), 2: Scores((0.9,), ())}

    assert set(accuracies(people)) == {0, 1}
    assert set(pair_shares(people)) == {0, 1}
    with pytest.raises(ValueError, match="two people"):
        accuracies({0: people[0], 2: people[2]})


def test_portraits_of_nobody_are_told_by_chance():
    rng = np.random.default_rng(0)
    people = {n: Scores(tuple(rng.normal(size=40)), tuple(rng.normal(size=40))) for n in range(20)}

    assert np.mean([values[0] for values in accuracies(people).values()]) == pytest.approx(0.5, abs=0.05)
    assert np.mean([values[0] for values in pair_shares(people).values()]) == pytest.approx(0.5, abs=0.05)


@given(
    st.lists(
        st.tuples(st.lists(cosines, min_size=1, max_size=4), st.lists(cosines, min_size=1, max_size=4)),
        min_size=1,
        max_size=4,
    )
)
def test_no_other_threshold_is_better(known):
    scores = [Scores(tuple(own), tuple(strangers)) for own, strangers in known]

    def quality(threshold):
        return np.mean([balanced(one, threshold) for one in scores])

    values = sorted({value for one in scores for value in (*one.own, *one.strangers)})
    candidates = [
        values[0] - 1,
        *((a + b) / 2 for a, b in pairwise(values)),
        values[-1] + 1,
    ]
    assert quality(best_threshold(scores)) >= max(map(quality, candidates)) - 1e-6
