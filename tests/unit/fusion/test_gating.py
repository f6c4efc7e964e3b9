"""Which gate a ranking applies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fusion.engine.gating import AppliedGate, Gates
from shared.errors.common import FieldInvalid, ValueOutOfRange
from shared.gates import Gate, OperatingPoint

RATES = (0.1, 0.01, 0.001)


def point(references, rate):
    """Stricter for fewer accepts, and for more references, as strangers have more chances."""
    threshold = 0.9 - 3 * rate + 0.005 * references
    return OperatingPoint(references, rate, threshold, rate / 2, (0, rate), 0.2 - rate, (0.1, 0.3))


GATE = Gate("net", tuple(point(n, rate) for n in (1, 2, 4) for rate in RATES))
GATES = Gates({"net": GATE}, {"fixed-net": 0.94})


def test_request_comes_first():
    assert GATES.choose("other", 1, requested=0.2) == AppliedGate(0.2)
    assert GATES.choose("fixed-net", 1, requested=-1.0) == AppliedGate(-1.0)


def test_fixed_gate_has_no_rates():
    assert GATES.choose("fixed-net", 3) == AppliedGate(0.94)


def test_operators_gate_comes_before_the_calibrated_one_unless_a_rate_is_asked_for():
    both = Gates({"net": GATE}, {"net": 0.99})

    assert both.choose("net", 1).threshold == 0.99
    assert both.choose("net", 1, rate=0.01).threshold == point(1, 0.01).threshold


def test_calibrated_gate_tells_its_rates():
    expected = point(2, 0.001)

    applied = GATES.choose("net", 2)

    assert applied == AppliedGate(expected.threshold, 0.0005, expected.false_reject_rate)


@given(st.integers(1, 64), st.sampled_from(RATES), st.sampled_from(RATES))
def test_fewer_strangers_never_mean_a_lower_gate(references, one, other):
    strict, lax = sorted((one, other))

    assert (
        GATES.choose("net", references, rate=strict).threshold
        >= GATES.choose("net", references, rate=lax).threshold
    )


@given(st.integers(1, 64), st.integers(1, 64), st.sampled_from(RATES))
def test_more_references_never_mean_a_lower_gate(one, other, rate):
    few, many = sorted((one, other))

    assert GATES.choose("net", many, rate=rate).threshold >= GATES.choose("net", few, rate=rate).threshold


def test_a_gate_is_never_guessed():
    with pytest.raises(FieldInvalid, match="other"):
        GATES.choose("other", 1)
    with pytest.raises(FieldInvalid, match="fixed-net"):
        GATES.choose("fixed-net", 1, rate=0.01)
    with pytest.raises(ValueOutOfRange, match=r"0\.001"):
        GATES.choose("net", 1, rate=0.5)


def test_gate_and_rate_exclude_each_other():
    with pytest.raises(FieldInvalid, match="together"):
        GATES.choose("net", 1, requested=0.5, rate=0.01)
