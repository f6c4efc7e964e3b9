import numpy as np
import pytest

from services.face_analysis.adapters.calibration_file import DLIB_RENDERS, load_metric, save_metric
from services.face_analysis.domain.faces import normalised
from services.face_analysis.domain.metric import IdentityMetric, fit_metric
from services.face_analysis.metric_figures import measure


def collection(seed: int, persons: int = 60, views: int = 4, dimension: int = 16):
    """Faces that share a large constant and vary, per view, mostly along one direction (say, glasses)."""
    rng = np.random.default_rng(seed)
    identities = np.repeat(rng.normal(0, 1, (persons, dimension)), views, axis=0)
    nuisance = rng.normal(0, 3, (persons * views, 1)) * np.eye(dimension)[3]
    noise = rng.normal(0, 0.3, identities.shape)
    shared = 8.0 * np.eye(dimension)[0]
    return normalised(shared + identities + nuisance + noise), np.repeat(np.arange(persons), views)


def test_plain_metric_is_the_cosine():
    embeddings, _ = collection(0)

    rows = IdentityMetric(0.5).project(list(embeddings))

    assert rows == pytest.approx(embeddings, abs=1e-6)


def test_fitted_metric_tells_unseen_persons_apart_better_than_the_cosine():
    plain = measure(IdentityMetric(0.9), *collection(1))
    fitted = measure(fit_metric(*collection(0), same_set_similarity=0.4), *collection(1))

    assert fitted.auc > plain.auc + 0.05
    assert fitted.equal_error_rate < plain.equal_error_rate / 2
    assert fitted.strangers_refused > 0.9 and fitted.clean_sets_with_a_refusal < 0.1


def test_directions_in_which_one_person_varies_count_less():
    metric = fit_metric(*collection(0), same_set_similarity=0.4)

    gain = np.linalg.norm(metric.projection, axis=1)

    assert gain.argmin() == 3


def test_file_round_trip(tmp_path):
    metric = fit_metric(*collection(0), same_set_similarity=0.37, name="test-1")
    path = tmp_path / "metric.safetensors"

    save_metric(metric, path, data="synthetic")
    loaded = load_metric(path)

    assert (loaded.same_set_similarity, loaded.name) == (0.37, "test-1")
    assert np.array_equal(loaded.centre, metric.centre)
    assert np.array_equal(loaded.projection, metric.projection)


def test_metric_without_a_calibration_is_not_written(tmp_path):
    with pytest.raises(ValueError):
        save_metric(IdentityMetric(0.5), tmp_path / "plain.safetensors")


def test_shipped_calibration_fits_dlibs_embeddings():
    metric = load_metric(DLIB_RENDERS)

    assert metric.centre.shape == (128,) and metric.projection.shape == (128, 128)
    assert 0 < metric.same_set_similarity < 1


class TestMeasure:
    def test_perfect_and_useless_metrics(self):
        persons = np.repeat(np.arange(8), 3)
        perfect = measure(IdentityMetric(0.5), normalised(np.eye(8)[persons] + 1e-3), persons)
        rng = np.random.default_rng(0)
        useless = measure(IdentityMetric(0.5), normalised(rng.normal(0, 1, (24, 8))), persons)

        assert (perfect.auc, perfect.clean_sets_with_a_refusal, perfect.strangers_refused) == (1, 0, 1)
        assert useless.auc == pytest.approx(0.5, abs=0.15)
