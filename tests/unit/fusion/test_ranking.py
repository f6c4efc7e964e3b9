"""Laws of ranking and of the identity gate."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.fusion.domain.checks import Check
from services.fusion.domain.face import Face
from services.fusion.domain.ranking import Candidate, RankOptions, rank
from services.fusion.domain.scoring import (
    Merits,
    RankWeights,
    Similarity,
    attribute_match,
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


def face(embedding, *, quality=0.8, size=100.0, **fields):
    return Face((0, 0, size, size), POINTS, unit(embedding), quality, **fields)


def at(cosine):
    """A vector of this cosine to the reference (1, 0, 0, 0)."""
    return [cosine, float(np.sqrt(1 - cosine**2)), 0, 0]


REFERENCES = np.stack([unit([1, 0, 0, 0]), unit(at(0.97))])
number = st.floats(0.01, 1)
cosines = st.floats(-1, 1)
share = st.floats(0, 1)
weights = st.builds(RankWeights, number, number, number, number, number)
embeddings = st.lists(st.integers(-8, 8), min_size=4, max_size=4).filter(any)
faces = st.builds(
    face,
    embeddings,
    quality=share,
    size=st.floats(10, 300),
    sharpness=st.none() | share,
    judged_quality=st.none() | share,
    defects=st.dictionaries(st.sampled_from(["blur", "distortion"]), share),
    attributes=st.dictionaries(st.sampled_from(["beard", "hair_color"]), st.sampled_from(["red", "none"])),
)
check_names = st.sampled_from(["clipped", "flat"])
checks = st.lists(st.builds(Check, check_names, share, st.just("it is odd")), max_size=2)
candidates = st.lists(
    st.builds(
        Candidate,
        st.text("abcdefgh", min_size=1, max_size=3),
        st.lists(faces, max_size=2).map(tuple),
        embeddings.map(unit),
        checks=checks.map(tuple),
    ),
    max_size=8,
    unique_by=lambda c: c.name,
)


@pytest.mark.parametrize("bad", [(0, 0, 0, 0, 0), (1, -1, 1, 1, 1), (np.inf, 1, 1, 1, 1)])
def test_weights_without_a_meaning_are_refused(bad):
    with pytest.raises(ValueError, match="weights"):
        RankWeights(*bad)


@given(cosines, cosines, st.floats(-0.8, 0.99))
def test_share_rises_with_the_cosine_and_is_one_half_at_the_gate(one, other, gate):
    low, high = sorted((one, other))

    assert 0 <= share_of(low, gate) <= share_of(high, gate) <= 1
    assert pytest.approx(share_of(gate, gate)) == 0.5


merits = st.builds(
    Merits, st.builds(Similarity, cosines, st.just(0), cosines), share, share, st.none() | share
)


@given(merits, st.floats(0, 0.5), weights, st.floats(-0.8, 0.99))
def test_score_is_a_share_and_rises_with_each_merit(one, more, given_weights, gate):
    base = score_of(one, given_weights, gate)

    assert 0 <= base <= 1 + 1e-9
    best, mean = (min(value + more, 1) for value in (one.similarity.best, one.similarity.mean))
    better = [
        dataclasses.replace(one, similarity=dataclasses.replace(one.similarity, best=best)),
        dataclasses.replace(one, similarity=dataclasses.replace(one.similarity, mean=mean)),
        dataclasses.replace(one, quality=min(one.quality + more, 1)),
        dataclasses.replace(one, artefacts=min(one.artefacts + more, 1)),
    ]
    if one.attributes is not None:
        better.append(dataclasses.replace(one, attributes=min(one.attributes + more, 1)))
    assert all(score_of(other, given_weights, gate) >= base - 1e-12 for other in better)


@given(merits, weights, st.floats(0.5, 8), st.floats(-0.8, 0.99))
def test_only_the_proportions_of_the_weights_count(one, given_weights, factor, gate):
    larger = RankWeights(*(factor * value for value in dataclasses.astuple(given_weights)))

    assert pytest.approx(score_of(one, given_weights, gate)) == score_of(one, larger, gate)


def test_attributes_that_were_not_measured_count_neither_for_nor_against():
    flawless = Similarity(1.0, 0, 1.0)

    assert score_of(Merits(flawless, 1.0), RankWeights(), 0.9) == 1
    assert score_of(Merits(flawless, 1.0, attributes=0.0), RankWeights(), 0.9) < 1
    assert score_of(Merits(flawless, 1.0), RankWeights(0, 0, 0, 1, 0), 0.9) == 0


@pytest.mark.parametrize(
    ("shown", "match"),
    [
        ({}, None),
        ({"age": "old"}, None),
        ({"hair_color": "Red", "beard": "none"}, 1.0),
        ({"hair_color": "grey", "beard": "none"}, 0.5),
        ({"hair_color": "grey"}, 0.0),
    ],
)
def test_attribute_match_is_the_share_of_what_was_measured(shown, match):
    assert attribute_match({"hair_color": "red", "beard": "none", "glasses": "round"}, shown) == match


@settings(max_examples=200)
@given(candidates, st.randoms(use_true_random=False))
def test_ranking_does_not_depend_on_the_order_of_the_candidates(given_candidates, random):
    shuffled = list(given_candidates)
    random.shuffle(shuffled)

    def facts(verdicts):
        return [(v.name, v.rank, v.score, v.checks, v.refusal and str(v.refusal)) for v in verdicts]

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
        (Candidate("a", (face(at(1), sharpness=0.01),)), ErrorReason.PICTURE_DEFECT),
        (Candidate("a", (face(at(1), defects={"distortion": 0.97}),)), ErrorReason.PICTURE_DEFECT),
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


def test_severe_artefact_is_named_and_the_worst_check_comes_first():
    broken = face(at(1.0), sharpness=0.3, defects={"distortion": 0.99})

    (verdict,) = rank([Candidate("a", (broken,))], REFERENCES, OPTIONS)

    assert "defect:distortion" in verdict.refusal.message
    assert [check.name for check in verdict.checks[:2]] == ["defect:distortion", "sharpness"]
    assert [check.score for check in verdict.checks] == sorted(check.score for check in verdict.checks)


def test_of_two_equal_likenesses_the_cleaner_and_the_one_that_was_asked_for_win():
    options = dataclasses.replace(OPTIONS, wanted={"beard": "full"})
    soft = Candidate("a-soft", (face(at(0.98), sharpness=0.2),))
    crisp = Candidate("b-crisp", (face(at(0.98), sharpness=0.9),))
    bearded = Candidate("c-bearded", (face(at(0.98), sharpness=0.9, attributes={"beard": "full"}),))
    shaven = Candidate("d-shaven", (face(at(0.98), sharpness=0.9, attributes={"beard": "none"}),))

    order = [v.name for v in rank([soft, crisp, shaven, bearded], REFERENCES, options)]

    assert order.index("b-crisp") < order.index("a-soft")
    assert order.index("c-bearded") < order.index("d-shaven")


def test_judged_quality_counts_before_the_overall_one():
    faces = {
        "judged": face(at(0.98), quality=0.1, judged_quality=0.9),
        "overall": face(at(0.98), quality=0.4),
    }

    verdicts = rank([Candidate(n, (f,)) for n, f in faces.items()], REFERENCES, OPTIONS)

    assert [(v.name, v.merits.quality) for v in verdicts] == [("judged", 0.9), ("overall", 0.4)]
