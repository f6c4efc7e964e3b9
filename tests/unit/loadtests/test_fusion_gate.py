import pytest

from loadtests.fusion.gate import Answer, rates


def test_strangers_let_in_and_own_turned_away_are_counted_by_group():
    answers = [
        Answer(1, 1, "probes", True),
        Answer(1, 1, "probes", False),
        Answer(1, 2, "probes", True),
        Answer(1, 3, "probes", False),
        Answer(2, 2, "portraits", True),
    ]

    found = rates(answers)

    assert found["false_accepts_probes"]["value"] == 0.5
    assert found["false_rejects_probes"]["value"] == 0.5
    assert found["false_rejects_portraits"]["value"] == 0.0
    assert "false_accepts_portraits" not in found


def test_no_error_at_all_still_has_an_interval_of_as_many_trials_as_pairs_of_people():
    once = [Answer(1, owner, "probes", False) for owner in range(2, 102)]

    found, repeated = (rates(answers)["false_accepts_probes"] for answers in (once, once * 5))

    assert found["wrong"] == 0
    assert found["low"] == 0
    assert found["high"] == pytest.approx(0.037, abs=1e-3)
    assert repeated["high"] == found["high"]
