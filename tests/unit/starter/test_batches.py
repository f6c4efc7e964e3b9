"""What embeddings and captions a batch of the generator shows."""

from pathlib import Path

import numpy as np
import pytest
import torch

from starter.data.latents import Latents
from starter.data.manifest import Sample, parse_record
from starter.train import batches
from starter.train.batches import BatchSampler
from tests.unit.starter.samples import make_record

PEOPLE, VIEWS = 12, 4


def _people() -> list[Sample]:
    """Embeddings as near each other as dlib's, and views of a person nearer."""
    rng = np.random.default_rng(0)
    centre, found = rng.normal(size=128), []
    for identity in range(PEOPLE):
        own = centre + 0.3 * rng.normal(size=128)
        for view in range(VIEWS):
            record = {**make_record(identity, view), "embedding": (own + 0.1 * rng.normal(size=128)).tolist()}
            found.append(parse_record(record, Path()))
    return found


@pytest.fixture
def sampler() -> BatchSampler:
    samples = _people()
    cells = torch.zeros(len(samples), 2, 1, 2, 2)
    return BatchSampler(samples, Latents(cells, cells, cells))


def _drawn(sampler: BatchSampler, count: int = 400) -> np.ndarray:
    rng = np.random.default_rng(1)
    return np.stack([sampler.identity(number % len(sampler.samples), rng) for number in range(count)])


def _distances(sampler: BatchSampler) -> np.ndarray:
    return np.asarray(np.linalg.norm(_drawn(sampler) - sampler.centre, axis=1))


def test_embeddings_have_length_one_and_are_nearest_to_their_own_person(sampler: BatchSampler) -> None:
    drawn = _drawn(sampler)
    assert np.allclose(np.linalg.norm(drawn, axis=1), 1, atol=1e-5)
    means = sampler.embeddings.reshape(PEOPLE, VIEWS, -1).mean(1)
    nearest = (drawn @ (means / np.linalg.norm(means, axis=1, keepdims=True)).T).argmax(1)
    own = [sampler.samples[number % len(sampler.samples)].identity for number in range(len(drawn))]
    assert (nearest == own).mean() > 0.95


def test_some_embeddings_lie_as_far_out_as_photographs(
    sampler: BatchSampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_far = _distances(sampler)
    monkeypatch.setattr(batches, "FAR_SHARE", 0.0)
    near = _distances(sampler)
    farther = (with_far > near.max()).mean()
    assert 0.5 * 0.25 < farther <= 0.3
    assert with_far.max() > 1.3 * near.mean()


def test_a_sampler_may_word_its_captions_otherwise(sampler: BatchSampler) -> None:
    class Terse(BatchSampler):
        def caption(self, index: int, is_mirrored: bool, rng: np.random.Generator) -> str:
            return f"person {self.samples[index].identity}"

    batch = Terse(sampler.samples, sampler.latents).batch(32, np.random.default_rng(2))
    assert set(batch.captions) <= {"", *(f"person {number}" for number in range(PEOPLE))}
    assert "" in batch.captions and len(set(batch.captions)) > 3
