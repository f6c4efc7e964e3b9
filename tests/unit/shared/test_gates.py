"""What a calibration promises: rates that hold, on collections whose truth is known."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors.common import ValueOutOfRange
from shared.gates import Gate, OperatingPoint, read_gate, write_gate
from shared.gates.bootstrap import PersonDraws
from shared.gates.calibration import (
    Counted,
    TooLittleData,
    calibrate,
    comparisons_needed,
    measure,
    require_enough,
)
from shared.gates.points import Strangers
from shared.gates.scores import scores_of


def collection(seed: int, persons: int = 120, pictures: int = 4, spread: float = 0.45, dimension: int = 12):
    """Unit rows of people who differ, each in pictures that differ by *spread*."""
    rng = np.random.default_rng(seed)
    centres = np.repeat(rng.normal(0, 1, (persons, dimension)), pictures, axis=0)
    rows = centres + rng.normal(0, spread, centres.shape)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32), np.repeat(np.arange(persons), pictures)


def point(references: int = 1, rate: float = 1e-3, threshold: float = 0.5) -> OperatingPoint:
    return OperatingPoint(references, rate, threshold, rate, (0.0, 2 * rate), 0.1, (0.05, 0.15))


@pytest.fixture(scope="module")
def gate() -> Gate:
    return calibrate(*collection(0), model="test", required_rate=1e-3)


class TestGate:
    def test_next_larger_number_of_references_is_the_strict_side(self):
        gate = Gate("m", (point(1, threshold=0.5), point(4, threshold=0.6), point(8, threshold=0.7)))

        found = {n: gate.for_(n, 1e-3).threshold for n in (1, 2, 4, 5, 8, 99)}

        assert found == {1: 0.5, 2: 0.6, 4: 0.6, 5: 0.7, 8: 0.7, 99: 0.7}

    def test_rate_that_came_as_a_32_bit_float_is_known(self):
        assert Gate("m", (point(),)).for_(1, float(np.float32(1e-3))).rate == 1e-3

    def test_rate_that_was_not_calibrated_is_refused_with_those_that_were(self):
        gate = Gate("m", (point(rate=0.1), point(rate=0.01)))

        with pytest.raises(ValueOutOfRange) as error:
            gate.for_(1, 1e-3)
        assert error.value.metadata == {
            "field": "false_accept_rate",
            "value": "0.001",
            "range": "one of 0.1, 0.01",
        }

    @pytest.mark.parametrize(
        ("rates", "default"), [((0.1, 1e-2, 1e-3, 1e-4), 1e-3), ((0.1, 0.01), 0.01), ((1e-5,), 1e-5)]
    )
    def test_default_rate_is_one_in_a_thousand_or_the_nearest(self, rates, default):
        gate = Gate("m", tuple(point(rate=rate) for rate in rates))

        assert gate.default_rate == default and gate.for_(1).rate == default

    @pytest.mark.parametrize(
        "points",
        [(), (point(1, 0.1), point(2, 0.01)), (point(1), point(1, threshold=0.6))],
        ids=["none", "gaps", "twice"],
    )
    def test_incomplete_gates_do_not_exist(self, points):
        with pytest.raises(ValueError):
            Gate("m", points)


class TestCalibration:
    def test_rates_hold_exactly_on_the_faces_they_were_set_on(self, gate):
        rows, persons = collection(0)
        for one in measure(gate, rows, persons):
            expected = gate.for_(one.references, one.rate)
            assert one.false_accept_rate <= one.rate
            assert one.false_accept_rate == pytest.approx(expected.false_accept_rate)
            assert one.false_accept_rate > 0.9 * one.rate - 2 / 57_000

    def test_rates_hold_within_the_intervals_on_people_never_seen(self, gate):
        for one in measure(gate, *collection(1, persons=200)):
            if one.rate >= 1e-3:
                low, high = gate.for_(one.references, one.rate).false_accept_interval
                assert low / 2 < one.false_accept_rate < 2 * high

    def test_more_references_let_more_in_so_that_thresholds_rise_and_own_rejects_fall(self, gate):
        points = [gate.for_(n, 1e-2) for n in (1, 2, 3)]

        assert [p.threshold for p in points] == sorted(p.threshold for p in points)
        rejects = [p.false_reject_rate for p in points]
        assert rejects == sorted(rejects, reverse=True) and rejects[0] > rejects[2]

    def test_rarer_false_accepts_cost_more_false_rejects(self, gate):
        points = [gate.for_(2, rate) for rate in gate.rates]

        assert [p.threshold for p in points] == sorted(p.threshold for p in points)
        assert [p.false_reject_rate for p in points] == sorted(p.false_reject_rate for p in points)

    def test_more_references_than_pictures_are_bounded_and_the_bound_holds(self):
        rows, persons = collection(2, persons=150, pictures=9)
        few = np.arange(len(rows)) % 9 < 4
        gate = calibrate(rows[few], persons[few], model="test", required_rate=1e-2)

        assert [gate.for_(n).is_bound for n in (1, 3, 4, 6, 8)] == [False, False, True, True, True]
        for one in measure(gate, rows, persons):
            if one.references in (6, 8) and one.rate >= 1e-3:
                assert one.false_accept_rate <= 1.15 * one.rate

    def test_same_faces_give_the_same_gate(self, gate):
        assert calibrate(*collection(0), model="test", required_rate=1e-3) == gate

    def test_order_of_the_pictures_does_not_matter_to_the_first_reference_rates(self, gate):
        rows, persons = collection(0)
        order = np.random.default_rng(5).permutation(len(rows))

        shuffled = calibrate(rows[order], persons[order], model="test", required_rate=1e-3)

        assert shuffled.for_(1, 1e-2).threshold == pytest.approx(gate.for_(1, 1e-2).threshold, abs=0.02)

    def test_rates_that_the_data_do_not_carry_are_left_out(self):
        assert calibrate(*collection(0, persons=30), model="m", required_rate=1e-2).rates == (0.1, 0.01)

    def test_people_with_one_picture_serve_as_strangers_alone(self):
        rows, persons = collection(3, persons=60)
        single = persons % 2 == 0
        kept = ~single | (np.arange(len(rows)) % 4 == 0)

        [first, second] = list(scores_of(rows[kept], persons[kept], 2))

        assert len(first.others) == 60 and len(second.others) == 30
        assert len(first.own) == 30 * 4


class TestTooLittle:
    def test_message_says_how_many_comparisons_and_people_it_takes(self):
        with pytest.raises(TooLittleData) as error:
            require_enough(Counted(20, 100, 1900), 1e-3)

        assert "10,000 comparisons" in str(error.value) and "about 46" in str(error.value)
        persons, pictures = 46, 230
        require_enough(Counted(persons, pictures, pictures * (persons - 1)), 1e-3)

    def test_a_handful_of_people_is_refused_whatever_the_rate(self):
        with pytest.raises(TooLittleData, match="5 people are too few"):
            calibrate(*collection(0, persons=5, pictures=50), model="m", required_rate=0.1)

    def test_nobody_with_two_pictures(self):
        with pytest.raises(TooLittleData, match="two pictures"):
            calibrate(*collection(0, persons=60, pictures=1), model="m", required_rate=0.1)

    @pytest.mark.parametrize(("rate", "needed"), [(0.1, 100), (1e-3, 10_000), (1e-4, 100_000)])
    def test_ten_strangers_are_to_be_let_through(self, rate, needed):
        assert comparisons_needed(rate) == needed


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.floats(0.002, 0.5), st.integers(2, 9))
def test_threshold_lets_at_most_its_share_through(seed, rate, pictures):
    rows, persons = collection(seed, persons=12, pictures=pictures, dimension=4)
    for scores in scores_of(rows, persons, 3):
        threshold = Strangers(scores).threshold_for(rate, scores.references)

        values = scores.strangers[np.isfinite(scores.strangers)]
        assert (values >= threshold).mean() <= rate + 1e-9
        assert (values >= threshold - 2e-6).sum() > np.floor(rate * len(values) + 1e-9) - 1e-9


def test_scores_are_the_best_cosines_of_a_plain_loop():
    rows, persons = collection(4, persons=7, pictures=3)

    by_count = list(scores_of(rows, persons, 3))

    # With all pictures as references it does not matter which are drawn.
    cosines = rows @ rows.T
    expected = [
        [cosines[n, persons == other].max() for other in range(7) if other != persons[n]]
        for n in range(len(rows))
    ]
    found = np.sort(by_count[2].strangers, axis=1)[:, 1:]
    assert sorted(map(tuple, np.sort(expected, axis=1).round(4))) == sorted(map(tuple, found.round(4)))
    assert [len(scores.own) for scores in by_count] == [21, 21, 0]
    others = [
        max(cosines[n, m] for m in range(len(rows)) if persons[m] == persons[n] and m != n)
        for n in range(len(rows))
    ]
    assert np.sort(by_count[1].own) == pytest.approx(np.sort(others), abs=1e-5)


class TestIntervals:
    def test_people_and_not_pictures_are_what_is_sampled(self):
        rows, persons = collection(6, persons=40, pictures=3)
        doubled, twice = np.concatenate([rows, rows]), np.concatenate([persons, persons])
        draws = PersonDraws(40)

        widths = []
        for faces, who in ((rows, persons), (doubled, twice)):
            scores = next(scores_of(faces, who, 1))
            _, (low, high) = draws.accepted(scores, 0.4)
            widths.append(high - low)

        assert widths[1] == pytest.approx(widths[0], rel=0.35), "copies of pictures say nothing new"

    def test_none_seen_is_not_none(self):
        scores = next(scores_of(*collection(7, persons=30), 1))

        rate, (low, high) = PersonDraws(30).accepted(scores, 1.1)

        assert rate == low == 0 and high == pytest.approx(3 / scores.comparison_count)


class TestFile:
    def test_round_trip(self, gate, tmp_path):
        path = tmp_path / "new" / "gate.json"
        full = replace(gate, provenance={"data": "drawn"})

        write_gate(full, path)
        loaded = read_gate(path)

        assert (loaded.model, loaded.persons, loaded.pictures) == ("test", 120, 480)
        assert loaded.provenance == {"data": "drawn"}
        assert [p.threshold for p in loaded.points] == [p.threshold for p in gate.points]
        for ours, theirs in zip(gate.points, loaded.points, strict=True):
            assert theirs.false_reject_rate == pytest.approx(ours.false_reject_rate, rel=1e-3)

    @pytest.mark.parametrize(
        "text", ["", "[]", "{}", '{"schema": 1, "model": "m"}', '{"schema": 99}', "\x00"]
    )
    def test_other_files_are_named(self, tmp_path, text):
        path = tmp_path / "odd.json"
        path.write_text(text)

        with pytest.raises(ValueError, match=r"odd\.json is no gate file"):
            read_gate(path)

    def test_another_schema_says_what_to_do(self, gate, tmp_path):
        path = tmp_path / "gate.json"
        write_gate(gate, path)
        content = json.loads(path.read_text())
        path.write_text(json.dumps({**content, "schema": 2}))

        with pytest.raises(ValueError, match="likeness calibrate"):
            read_gate(path)
