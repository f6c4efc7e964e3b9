"""What is told of a portrait that fell short."""

import pytest

from services.orchestrator.domain.edits import Step
from services.orchestrator.domain.faces import BlobRef, Feature, Refusal
from services.orchestrator.domain.notices import missing_features, shortfall, unknown_words
from services.orchestrator.domain.portrait import Candidate, IdentityMode, PortraitSpec
from services.orchestrator.domain.stages import Ranking, Verdict

SPEC = PortraitSpec(
    identity="identities/a",
    style="styles/studio",
    portrait_count=2,
    candidate_count=2,
    mode=IdentityMode.AUTO,
    prompt="",
    negative_prompt="",
    seed=0,
    size_px=256,
)
BLOB = BlobRef(uri="artifacts/t/0", sha256="0", size_bytes=1, media_type="image/png")


def candidate(index: int, reason: str) -> Candidate:
    rejection = Refusal(reason=reason, message="No.") if reason else None
    return Candidate(index=index, seed=index, artifact=BLOB, rejection=rejection)


def ranking(passed: int, best: float, rate: float | None = 0.001) -> Ranking:
    verdicts = [
        Verdict(
            index=index,
            rank=index if index <= passed else 0,
            score=0.5,
            best_similarity=best if index == 1 else 0.1,
            mean_similarity=0.1,
            best_reference_index=0,
        )
        for index in (1, 2, 3, 4)
    ]
    return Ranking(verdicts=tuple(verdicts), identity_gate=0.62, false_accept_rate=rate)


def test_enough_portraits_need_no_words():
    assert shortfall(SPEC, ranking(2, 0.9), []) == ()


@pytest.mark.parametrize("passed", [0, 1])
def test_a_shortfall_names_counts_reasons_gate_and_best(passed):
    made = [candidate(1, "" if passed else "BELOW_IDENTITY_GATE")]
    made += [
        candidate(2, "BELOW_IDENTITY_GATE"),
        candidate(3, "BELOW_IDENTITY_GATE"),
        candidate(4, "NO_FACE_FOUND"),
    ]

    [notice] = shortfall(SPEC, ranking(passed, 0.58), made)

    rejected = 4 - passed
    for words in (
        f"{passed} of 2 portraits",
        "4 candidates",
        "budget of 4",
        f"{rejected} were rejected ({rejected - 1} BELOW_IDENTITY_GATE, 1 NO_FACE_FOUND)",
        "0.620",
        "0.10% of strangers",
        "0.580",
        "help",
    ):
        assert words in notice, words


def test_a_gate_of_the_style_has_no_rate():
    [notice] = shortfall(SPEC, ranking(1, 0.58, None), [candidate(4, "NEAR_DUPLICATE")])
    assert "strangers" not in notice


def test_missing_nets_are_told_where_their_steps_were_wanted():
    both, all_steps = frozenset(Feature), tuple(Step)
    structure, marks = missing_features(both, all_steps)
    assert "texture" in structure and "five landmarks" in structure
    assert "spots" in marks
    assert missing_features(frozenset(), all_steps) == ()
    assert missing_features({Feature.MARKS}, (Step.FUSE, Step.ENHANCE)) == ()
    [only] = missing_features(both, (Step.FUSE,))
    assert "texture" not in only


def test_words_that_the_model_does_not_know_are_named_once():
    [notice] = unknown_words(["cyberpunk", "armour", "cyberpunk"])
    assert notice.count('"cyberpunk"') == 1
    assert '"armour"' in notice and "card" in notice
    assert unknown_words([]) == ()
