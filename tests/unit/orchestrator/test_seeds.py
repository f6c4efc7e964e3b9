"""Seeds follow from the request alone."""

from hypothesis import given
from hypothesis import strategies as st

from services.orchestrator.domain.seeds import candidate_seed, derive_seed

SEEDS = st.integers(min_value=0, max_value=2**63 - 1)


def test_the_derivation_is_the_same_in_every_release():
    """Written down: a change would change every picture of every request."""
    assert candidate_seed(0, 1) == 6669303132454589914
    assert derive_seed(7, "train", "ab") == 4529931938672449434


@given(SEEDS, st.integers(1, 64))
def test_seeds_fit_the_wire(seed, index):
    assert 0 <= candidate_seed(seed, index) < 2**63


@given(SEEDS)
def test_candidates_differ(seed):
    assert len({candidate_seed(seed, index) for index in range(1, 65)}) == 64


def test_labels_are_told_apart_by_type_and_border():
    made = [derive_seed(1, "1"), derive_seed(1, 1), derive_seed(1, "a", "b"), derive_seed(1, "ab")]

    assert len(set(made)) == 4
