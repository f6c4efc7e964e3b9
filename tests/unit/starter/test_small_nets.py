"""Every small net can be trained by its command for a few steps, and its files load."""

import importlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from starter.data import quality as quality_data
from starter.data.reconstructions import Reconstructions, load_reconstructions
from starter.models.quality import QualityNet
from starter.models.vae import FoldedAutoencoder, build_autoencoder
from starter.train import enhancer, quality, upscaler
from tests.unit.starter.toy_faces import write_faces

NETS = (
    "structure", "marks", "quality", "enhancer", "upscaler", "embedder", "attributes", "scene",
)  # fmt: skip
LARGEST = {"structure": 2.5e6, "marks": 0.6e6, "enhancer": 1e6, "upscaler": 1e6}


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A folder of runs with an untrained tiny autoencoder."""
    torch.manual_seed(0)
    FoldedAutoencoder(build_autoencoder((32, 32, 32), (32, 32, 32))).save(tmp_path / "runs" / "vae" / "model")
    return tmp_path / "runs"


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of two, and few reconstructions."""
    for name in NETS:
        module = importlib.import_module(f"starter.train.{name}")
        monkeypatch.setattr(module, "RECIPE", replace(module.RECIPE, batch=2))
        for constant in ("RECONSTRUCTIONS", "HELD_OUT_RECONSTRUCTIONS"):
            monkeypatch.setattr(module, constant, 2, raising=False)
        monkeypatch.setattr(module, "_NORM_BATCHES", 1, raising=False)
    monkeypatch.setattr(quality, "_TEST_BATCHES", 2)
    monkeypatch.setattr(enhancer, "_TESTS", enhancer._TESTS[:1])
    for module in (enhancer, upscaler):
        monkeypatch.setattr(module, "_TEST_PICTURES", 1)


@pytest.mark.parametrize("name", NETS)
@pytest.mark.usefixtures("few")
def test_a_net_trains_resumes_and_is_written(name: str, tmp_path: Path, runs: Path) -> None:
    write_faces(tmp_path / "data")
    module = importlib.import_module(f"starter.train.{name}")
    for steps in (1, 2):
        module.train(tmp_path / "data", runs, steps)
    folder = runs / name / "model"
    card = json.loads((folder / f"{name}.json").read_text())
    session = onnxruntime.InferenceSession(folder / f"{name}.onnx")
    shape = [v if isinstance(v, int) else 1 for v in card["input"]["shape"]]
    shape = shape[:2] + [64 if v == 1 else v for v in shape[2:]]
    answers = session.run(None, {"image": np.zeros(shape, np.float32)})
    assert {output.name for output in session.get_outputs()} == set(card["outputs"])
    assert all(np.isfinite(answer).all() for answer in answers)
    assert card["held_out"]
    assert card["licence"] == "Apache-2.0"
    assert (folder / f"{name}.onnx").stat().st_size < 1.1 * 2 * LARGEST.get(name, 3e6)


def test_reconstructions_are_made_once_and_again_for_other_samples(tmp_path: Path, runs: Path) -> None:
    samples, cache = write_faces(tmp_path / "data"), tmp_path / "made.safetensors"
    made = load_reconstructions(samples, runs, cache, 4)
    assert made.images.shape == (4, 3, 256, 256)
    assert made.images.dtype == torch.uint8
    assert (made.spoiled >= 0).all()
    stamp = cache.stat().st_mtime_ns
    again = load_reconstructions(samples, runs, cache, 4)
    assert torch.equal(made.images, again.images)
    assert cache.stat().st_mtime_ns == stamp
    assert len(load_reconstructions(samples[:2], runs, cache, 2).positions) == 2
    assert cache.stat().st_mtime_ns != stamp


def test_quality_batches_say_what_was_done(tmp_path: Path) -> None:
    samples = write_faces(tmp_path)
    images = torch.zeros(1, 3, 256, 256, dtype=torch.uint8)
    made = Reconstructions(torch.tensor([0]), images, torch.tensor([0.7]))
    batch = quality_data.spoiled_batch(samples, made, 30, np.random.default_rng(0), varied=False)
    distortion = batch.defects[:, quality_data.DEFECTS.index("distortion")]
    is_made = batch.images.amax((1, 2, 3)) == 0
    assert 3 < int(is_made.sum()) < 20
    assert distortion[is_made] == pytest.approx(torch.full((int(is_made.sum()),), 0.7))
    faultless = (batch.defects.sum(1) == 0) & ~is_made
    assert faultless.any()
    reference = batch.images[faultless][0]
    assert float(batch.images[faultless].std()) == pytest.approx(float(reference.std()), rel=0.2)


def test_quality_net_answers_within_its_range() -> None:
    torch.manual_seed(0)
    net = QualityNet(5, (16, 16, 16, 16)).eval()
    with torch.no_grad():
        grade, defects = net(torch.rand(2, 3, 160, 160))
    assert grade.shape == (2,)
    assert defects.shape == (2, 5)
    assert ((defects >= 0) & (defects <= 1)).all()
