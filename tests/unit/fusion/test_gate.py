"""Which gates the service has."""

import pytest

from services.face_analysis.adapters.calibration_file import DLIB_RENDERS, load_metric
from services.fusion.adapters.gate_file import SHIPPED, load_gates
from services.fusion.domain.gate import gate_of
from shared.errors.common import FieldInvalid, ModelMissing
from shared.gates import DEFAULT_RATE, RATES, Gate, OperatingPoint, write_gate

SHIPPED_MODEL = "dlib-resnet-v1+renders-2"


def own_gate(model: str) -> Gate:
    return Gate(model, (OperatingPoint(1, 1e-3, 0.33, 1e-3, (0.0, 0.01), 0.1, (0.0, 0.2)),))


class TestShipped:
    def test_one_gate_for_the_embedder_that_ships(self):
        gate = gate_of(load_gates(), SHIPPED_MODEL)

        assert gate.rates == RATES and gate.persons > 500
        assert "renders" in gate.provenance["data"]
        assert f"dlib-resnet-v1+{load_metric(DLIB_RENDERS).name}" == SHIPPED_MODEL, "of the metric in use"

    def test_files_are_named_after_their_embedder(self):
        assert [path.stem for path in SHIPPED.glob("*.json")] == list(load_gates())

    @pytest.mark.parametrize("references", [1, 2, 3, 4, 5, 8, 20, 64])
    def test_thresholds_are_sane_for_every_number_of_references(self, references):
        gate = gate_of(load_gates(), SHIPPED_MODEL)
        points = [gate.for_(references, rate) for rate in gate.rates]

        assert [p.threshold for p in points] == sorted(p.threshold for p in points)
        for point in points:
            low, high = point.false_accept_interval
            assert low <= point.false_accept_rate <= high
            assert point.false_accept_rate == pytest.approx(point.rate, rel=0.3)
        assert gate.for_(references).rate == DEFAULT_RATE


class TestOwnFile:
    def test_it_stands_beside_the_shipped_ones(self, tmp_path):
        write_gate(own_gate("mine-v1"), tmp_path / "mine.json")

        gates = load_gates(tmp_path / "mine.json")

        assert gates["mine-v1"].for_(3).threshold == 0.33
        assert SHIPPED_MODEL in gates

    def test_it_replaces_that_of_its_embedder(self, tmp_path):
        write_gate(own_gate(SHIPPED_MODEL), tmp_path / "mine.json")

        assert load_gates(tmp_path / "mine.json")[SHIPPED_MODEL].rates == (1e-3,)

    def test_absent_file_is_named_with_the_command_that_makes_it(self, tmp_path):
        with pytest.raises(ModelMissing) as error:
            load_gates(tmp_path / "none.json")

        assert "none.json" in error.value.message and "likeness calibrate" in error.value.message

    def test_another_file_is_refused(self, tmp_path):
        (tmp_path / "odd.json").write_text("{}")

        with pytest.raises(ValueError, match=r"odd\.json"):
            load_gates(tmp_path / "odd.json")


def test_an_embedder_without_a_gate_is_refused_by_name():
    with pytest.raises(FieldInvalid) as error:
        gate_of(load_gates(), "unknown-v9")

    assert "unknown-v9" in error.value.message and "likeness calibrate" in error.value.message
