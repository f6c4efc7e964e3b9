"""Figures of embedders, and the embedder itself."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from starter.models.embedder import CROP_PX, EMBEDDING, CosFaceHead, FaceEmbedder
from starter.train.verification import figures, verification
from tests.unit.starter.samples import make_sample

WIDTHS = (8, 8, 8, 8)


def test_separated_pairs_have_perfect_figures() -> None:
    rng = np.random.default_rng(0)
    cosines = np.concatenate([rng.uniform(0.8, 0.9, 50), rng.uniform(0, 0.5, 2000)])
    result = figures(cosines, np.arange(2050) < 50)
    assert result is not None
    assert result["auc"] == 1
    assert result["eer"] == 0
    assert result["tar_at_1e-3_far"] == 1


def test_figures_of_chance_and_of_a_known_overlap() -> None:
    rng = np.random.default_rng(0)
    chance = figures(rng.normal(size=8000), np.arange(8000) % 2 == 0)
    assert chance is not None
    assert chance["auc"] == pytest.approx(0.5, abs=0.02)
    assert chance["eer"] == pytest.approx(0.5, abs=0.02)
    # Two unit normals 2 apart: AUC = Phi(sqrt 2), equal errors = Phi(-1).
    same = np.arange(8000) % 2 == 0
    apart = figures(rng.normal(size=8000) + 2 * same, same)
    assert apart is not None
    assert apart["auc"] == pytest.approx(0.921, abs=0.01)
    assert apart["eer"] == pytest.approx(0.159, abs=0.01)
    assert figures(np.ones(3), np.ones(3, bool)) is None


def test_changed_hair_and_like_strangers_are_taken_from_the_right_pairs() -> None:
    base = make_sample()
    blonde = replace(base, attributes={**base.attributes, "hair_color": "blonde"})
    man = replace(base, identity=4, attributes={**base.attributes, "sex": "male"})
    woman = replace(base, identity=5)
    samples = [base, base, blonde, man, woman]
    angles = np.radians([0, 0, 80, 10, 190])
    embeddings = np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)
    result = verification(embeddings, samples)
    assert result["pairs"] == {"same": 3, "different": 7}
    assert result["changed_hair"]["auc"] < result["all"]["auc"]
    # The only stranger that is near is a man.
    assert result["strangers_alike"]["auc"] > result["all"]["auc"]


def test_embeddings_have_unit_length_and_ignore_the_rest_of_the_batch() -> None:
    torch.manual_seed(0)
    net = FaceEmbedder(WIDTHS).eval()
    crops = torch.rand(3, 3, CROP_PX, CROP_PX)
    with torch.no_grad():
        together, alone = net(crops), net(crops[:1])
    assert together.shape == (3, EMBEDDING)
    assert together.norm(dim=1) == pytest.approx(torch.ones(3), abs=1e-5)
    assert together[0] == pytest.approx(alone[0], abs=1e-5)


def test_the_margin_asks_for_more_than_the_right_side() -> None:
    torch.manual_seed(0)
    head = CosFaceHead(FaceEmbedder(WIDTHS), 5)
    people = torch.tensor([0, 3])
    right = torch.nn.functional.normalize(head.directions[people], dim=1)
    assert head.loss(right, people, margin=0) < head.loss(right, people)
    assert head.loss(right, people) < head.loss(right.flip(0), people)
