"""The developers' calibration: metric, gate and report from a manifest of embeddings."""

import json

import numpy as np
import pytest

from services.face_analysis import calibrate
from services.face_analysis.adapters.calibration_file import load_metric
from services.face_analysis.domain.metric import IdentityMetric
from services.face_analysis.measure_portraits import best_similarities, metrics_of
from shared.gates import read_gate


@pytest.fixture
def manifest(tmp_path):
    """100 persons of 4 pictures: 30 to fit, 60 for the gate, 10 held out; vectors of any norm."""
    rng = np.random.default_rng(0)
    path = tmp_path / "manifest.jsonl"
    with path.open("w") as file:
        for person in [*range(30), *range(600, 660), *range(100_000, 100_010)]:
            centre = rng.normal(0, 1, 12) + 4 * np.eye(12)[0]
            for _ in range(4):
                vector = 1.3 * (centre + rng.normal(0, 0.3, 12))
                file.write(json.dumps({"identity": person, "embedding": vector.tolist()}) + "\n")
    return path


def test_metric_gate_and_report_are_written_and_belong_together(manifest, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ["calibrate", str(manifest), "--out", "m.safetensors", "--gate", "g.json", "--name", "test-7"]
    monkeypatch.setattr("sys.argv", arguments)

    calibrate.main()

    metric, gate = load_metric(tmp_path / "m.safetensors"), read_gate(tmp_path / "g.json")
    assert metric.name == "test-7" and metric.projection.shape == (12, 12)
    assert gate.model == "dlib-resnet-v1+test-7"
    assert (gate.persons, gate.pictures) == (60, 240), "those who fitted the metric are left out"
    report = json.loads((tmp_path / "out/reports/FACE_CALIBRATION.json").read_text())
    seen = report["details"]["gate, held out"]["0.01"]
    assert set(seen) == {"1", "2", "3"} and 0 <= seen["3"]["false_accept_rate"] < 0.1


def test_embeddings_of_any_norm_become_unit_vectors(manifest):
    embeddings, persons = calibrate.read_manifests([manifest, manifest])

    assert np.linalg.norm(embeddings, axis=1) == pytest.approx(np.ones(800), abs=1e-5)
    assert len(np.unique(persons)) == 100


def test_portraits_are_compared_with_the_best_reference_of_each_person():
    references, persons = np.eye(4, dtype=np.float32)[[0, 1, 2]], np.array([7, 7, 9])
    portraits = np.array([[0, 1, 0, 0], [0.6, 0, 0.8, 0]], np.float32)

    best = best_similarities(IdentityMetric(0.5), portraits, references, persons)

    assert best == pytest.approx(np.array([[1, 0], [0.6, 0.8]]), abs=1e-6)


def test_metrics_are_named_by_their_shrinkage(manifest):
    embeddings, persons = calibrate.read_manifests([manifest])

    metrics = metrics_of(embeddings, persons)

    assert metrics["plain cosine"].projection is None and len(metrics) > 2
