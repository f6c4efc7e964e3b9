import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.face_analysis.domain.identity import group_by_person, mean_embedding
from tests.unit.face_analysis.builders import embedding


def sets_of(*persons: int) -> list[np.ndarray]:
    return [embedding(person, view) for view, person in enumerate(persons)]


class TestGroupByPerson:
    def test_one_person_is_one_group(self):
        groups = group_by_person(sets_of(0, 0, 0), 0.8)

        assert groups.groups == ((0, 1, 2),)
        assert groups.reference == (0, 1, 2)

    def test_majority_is_the_reference_wherever_the_stranger_stands(self):
        for position in range(4):
            persons = [0, 0, 0]
            persons.insert(position, 1)

            groups = group_by_person(sets_of(*persons), 0.8)

            assert set(groups.reference) == {i for i in range(4) if i != position}

    def test_equal_sides_are_a_tie_without_a_reference(self):
        groups = group_by_person(sets_of(0, 1, 0, 1, 2), 0.8)

        assert groups.is_tied
        assert groups.reference == ()
        assert groups.groups == ((0, 2), (1, 3), (4,))

    def test_no_photos_no_groups(self):
        groups = group_by_person([], 0.8)

        assert groups.groups == () and groups.reference == () and not groups.is_tied

    def test_linkage_is_the_mean_over_pairs(self):
        """c is .9 from a but .5 from b: the mean, .7, decides, not the best or the worst pair."""
        a = np.array([1, 0, 0], np.float32)
        b = np.array([0.8, 0.6, 0], np.float32)
        c = np.array([0.9, (0.5 - 0.72) / 0.6, 0], np.float32)
        c[2] = np.sqrt(1 - c[0] ** 2 - c[1] ** 2)
        assert c @ a == pytest.approx(0.9) and c @ b == pytest.approx(0.5)

        assert len(group_by_person([a, b, c], 0.64).groups) == 1
        # a and c merge first (.9), then b joins at (.8 + .5) / 2 = .65.
        assert len(group_by_person([a, b, c], 0.66).groups) == 2

    @given(st.lists(st.integers(0, 3), min_size=1, max_size=10), st.randoms(use_true_random=False))
    def test_order_of_the_photos_does_not_matter(self, persons, random):
        vectors = sets_of(*persons)
        shuffled = list(range(len(vectors)))
        random.shuffle(shuffled)

        straight = {frozenset(g) for g in group_by_person(vectors, 0.8).groups}
        mixed = group_by_person([vectors[i] for i in shuffled], 0.8).groups

        assert straight == {frozenset(shuffled[i] for i in group) for group in mixed}
        assert straight == {frozenset(i for i, p in enumerate(persons) if p == who) for who in set(persons)}


class TestMeanEmbedding:
    def test_is_a_unit_vector_nearer_to_all_than_they_are_to_each_other(self):
        vectors = sets_of(0, 0, 0, 0)

        mean = mean_embedding(vectors)

        assert np.linalg.norm(mean) == pytest.approx(1, abs=1e-6) and mean.dtype == np.float32
        pairs = [float(a @ b) for i, a in enumerate(vectors) for b in vectors[:i]]
        assert np.mean([mean @ v for v in vectors]) > np.mean(pairs)

    def test_of_nothing_or_of_opposites_does_not_exist(self):
        with pytest.raises(ValueError):
            mean_embedding([])
        with pytest.raises(ValueError):
            mean_embedding([embedding(0), -embedding(0)])
