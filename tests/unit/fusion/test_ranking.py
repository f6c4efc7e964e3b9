"""Laws of ranking and of the identity gate."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.fusion.domain.face import Face
from services.fusion.domain.ranking import (
    Candidate,
    RankOptions,
    RankWeights,
    Similarity,
    rank,
    score_of,
    share_of,
)
from services.fusion.errors import PictureDefect
from shared.errors import ErrorReason

POINTS = np.array([(40, 50), (84, 50), (62, 71), (45, 93), (79, 93)], np.float32)
OPTIONS = RankOptions(identity_gate=0.9)


def unit(values):
    vector = np.asarray(values, np.float32)
    return vector / np.linalg.norm(vector)


def face(embedding, *, quality=0.8, size=100.0):
    return Face((0, 0, size, size), POINTS, unit(embedding), quality)


def at(cosine):
    """A vector of this cosine to the reference (1, 0, 0, 0)."""
    return [cosine, float(np.sqrt(1 - cosine**2)), 0, 0]


REFERENCES = np.stack([unit([1, 0, 0, 0]), unit(at(0.97))])
number = st.floats(0.01, 1)
cosines = st.floats(-1, 1)
weights = st.builds(RankWeights, number, number, number)
embeddings = st.lists(st.integers(-8, 8), min_size=4, max_size=4).filter(any)
faces = st.builds(face, embeddings, quality=st.floats(0, 1), size=st.floats(10, 300))
candidates = st.lists(
    st.builds(
        Candidate,
        st.text("abcdefgh", min_size=1, max_size=3),
        st.lists(faces, max_size=2).map(tuple),
        embeddings.map(unit),
    ),
    max_size=8,
    unique_by=lambda c: c.name,
)


@given(weights)
def test_weights_sum_to_one(given_weights):
    normalised = given_weights.normalised()

    assert pytest.approx(normalised.best + normalised.mean + normalised.quality) == 1


@pytest.mark.parametrize("bad", [RankWeights(0, 0, 0), RankWeights(1, -1, 1)])
def test_weights_without_a_meaning_are_refused(bad):
    with pytest.raises(ValueError, match="weights"):
        bad.normalised()


@given(cosines, cosines, st.floats(-0.8, 0.99))
def test_share_rises_with_the_cosine_and_is_one_half_at_the_gate(one, other, gate):
    low, high = sorted((one, other))

    assert 0 <= share_of(low, gate) <= share_of(high, gate) <= 1
    assert pytest.approx(share_of(gate, gate)) == 0.5


@given(cosines, cosines, st.floats(0, 1), st.floats(0, 0.5), weights, st.floats(-0.8, 0.99))
def test_score_rises_with_each_similarity_and_with_quality(best, mean, quality, more, given_weights, gate):
    options = RankOptions(identity_gate=gate, weights=given_weights)
    base = score_of(Similarity(best, 0, mean), quality, options)

    assert 0 <= base <= 1 + 1e-9
    assert score_of(Similarity(min(best + more, 1), 0, mean), quality, options) >= base
    assert score_of(Similarity(best, 0, min(mean + more, 1)), quality, options) >= base
    assert score_of(Similarity(best, 0, mean), min(quality + more, 1), options) >= base


@settings(max_examples=200)
@given(candidates, st.randoms(use_true_random=False))
def test_ranking_does_not_depend_on_the_order_of_the_candidates(given_candidates, random):
    shuffled = list(given_candidates)
    random.shuffle(shuffled)

    def facts(verdicts):
        return [(v.name, v.rank, v.score, v.refusal and str(v.refusal)) for v in verdicts]

    assert facts(rank(given_candidates, REFERENCES, OPTIONS)) == facts(rank(shuffled, REFERENCES, OPTIONS))


@settings(max_examples=200)
@given(candidates, st.floats(-1, 1), st.floats(0, 200))
def test_gate_never_lets_through_what_it_must_refuse(given_candidates, gate, min_face_px):
    options = RankOptions(identity_gate=gate, min_face_px=min_face_px)
    by_name = {c.name: c for c in given_candidates}

    verdicts = rank(given_candidates, REFERENCES, options)

    assert sorted(by_name) == sorted(v.name for v in verdicts)
    for verdict in verdicts:
        if verdict.refusal is None:
            (only,) = by_name[verdict.name].faces
            assert verdict.similarity.best >= gate
            assert only.size_px >= min_face_px
            assert verdict.rank >= 1
        else:
            assert verdict.rank == 0


@settings(max_examples=200)
@given(candidates)
def test_accepted_come_first_by_falling_score_with_ranks_from_one(given_candidates):
    verdicts = rank(given_candidates, REFERENCES, dataclasses.replace(OPTIONS, identity_gate=0.0))
    accepted = [v for v in verdicts if v.refusal is None]

    assert verdicts[: len(accepted)] == accepted
    assert list(range(1, len(accepted) + 1)) == [v.rank for v in accepted]
    assert [v.score for v in accepted] == sorted((v.score for v in accepted), reverse=True)


def test_best_reference_counts_and_not_the_first_one():
    sideways = unit(at(0.97))
    (verdict,) = rank([Candidate("a", (face(sideways),))], REFERENCES, OPTIONS)

    assert verdict.similarity.best_index == 1
    assert pytest.approx(verdict.similarity.best) == 1.0
    assert pytest.approx(verdict.similarity.mean, abs=1e-3) == 0.985


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (Candidate("a", ()), ErrorReason.NO_FACE_FOUND),
        (Candidate("a", (face(at(1)), face(at(1)))), ErrorReason.SEVERAL_FACES),
        (Candidate("a", (face(at(1), size=40),)), ErrorReason.FACE_TOO_SMALL),
        (Candidate("a", (face(at(0.5)),)), ErrorReason.BELOW_IDENTITY_GATE),
        (
            Candidate("a", (face(at(1)),), defect=PictureDefect(image="a", defect="it is blank")),
            ErrorReason.PICTURE_DEFECT,
        ),
    ],
)
def test_each_unfit_candidate_is_refused_with_its_reason(candidate, reason):
    (verdict,) = rank([candidate], REFERENCES, OPTIONS)

    assert reason == verdict.refusal.reason
    assert "a" in verdict.refusal.message


def test_embedding_that_is_not_a_number_is_refused():
    broken = Face((0, 0, 99, 99), POINTS, np.full(4, np.nan, np.float32))

    (verdict,) = rank([Candidate("a", (broken,))], REFERENCES, OPTIONS)

    assert verdict.refusal.reason == ErrorReason.BELOW_IDENTITY_GATE


def test_equal_candidates_go_by_name():
    twins = [Candidate(name, (face(at(0.99)),)) for name in ("b", "a", "c")]

    assert [v.name for v in rank(twins, REFERENCES, OPTIONS)] == ["a", "b", "c"]


def test_lower_ranked_near_duplicate_is_thinned_out_and_names_its_twin():
    look = unit([1, 2, 3])
    better = Candidate("better", (face(at(1.0)),), look)
    twin = Candidate("twin", (face(at(0.97)),), unit([1, 2, 3.01]))
    other = Candidate("other", (face(at(0.95)),), unit([3, -2, 1]))

    verdicts = rank([twin, other, better], REFERENCES, OPTIONS)

    assert [v.name for v in verdicts] == ["better", "other", "twin"]
    assert [v.rank for v in verdicts] == [1, 2, 0]
    assert verdicts[2].refusal.reason == ErrorReason.NEAR_DUPLICATE
    assert verdicts[2].refusal.metadata["other"] == "better"


def test_refused_candidate_hides_no_accepted_twin():
    look = unit([1, 2, 3])
    small = Candidate("small", (face(at(1.0), size=10),), look)
    good = Candidate("good", (face(at(0.95)),), look)

    first = rank([small, good], REFERENCES, OPTIONS)[0]

    assert (first.name, first.rank) == ("good", 1)
