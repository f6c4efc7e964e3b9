"""Trainings that start from an adapter of the base model."""

import dataclasses
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from services.lora_training.adapters.torch_trainer import TrainingRun, train_adapter
from services.lora_training.domain.example import TrainingExample
from services.lora_training.domain.progress import StepReport
from services.lora_training.domain.recipe import Recipe
from services.lora_training.errors import AdapterIncompatible, UnknownAdapter
from shared.sdmodels import base_model_digest, open_model_folder
from tests.support.shipped_adapter import metadata_of, ship_adapter

RECIPE = Recipe(
    steps=3,
    batch_size=2,
    rank=2,
    alpha=2.0,
    variants_per_photo=2,
    checkpoint_every=2,
    seed=7,
    initial_adapter="common-face",
)
# So slow that a result is what it started from.
STILL = dataclasses.replace(RECIPE, steps=1, learning_rate=1e-6, weight_decay=0.0)
Examples = list[TrainingExample]


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_model, tmp_path / "model")


def run(model: Path, work: Path, recipe: Recipe = RECIPE, **fields: object) -> TrainingRun:
    work.mkdir(exist_ok=True)
    return TrainingRun(model_dir=model, work_dir=work, recipe=recipe, **fields)  # type: ignore[arg-type]


def products(data: bytes, scale: float = 1.0) -> dict[str, np.ndarray]:
    """What an adapter adds to each layer."""
    tensors = {key: value.astype(np.float32) for key, value in safetensors.numpy.load(data).items()}
    return {
        key.removesuffix(".lora_A.weight"): scale * tensors[key.replace("lora_A", "lora_B")] @ value
        for key, value in tensors.items()
        if "lora_A" in key
    }


@pytest.mark.parametrize(("file_alpha", "alpha"), [(2.0, 2.0), (1.0, 2.0), (2.0, 6.0)])
def test_a_training_begins_with_what_the_adapter_does_whatever_their_alphas(
    model: Path, examples: Examples, tmp_path: Path, file_alpha: float, alpha: float
) -> None:
    file = ship_adapter(model, alpha=file_alpha)
    trained = train_adapter(examples, run(model, tmp_path / "w", dataclasses.replace(STILL, alpha=alpha)))
    theirs, ours = products(file.read_bytes(), file_alpha / 2), products(trained.data, alpha / 2)
    assert ours.keys() == theirs.keys() and len(ours) > 8
    for layer, product in theirs.items():
        assert np.abs(product).max() > 0.01
        np.testing.assert_allclose(ours[layer], product, atol=1e-4)


def test_the_result_says_what_it_started_from_and_the_model_stays_as_it_is(
    model: Path, examples: Examples, tmp_path: Path
) -> None:
    file, digest = ship_adapter(model), base_model_digest(open_model_folder(model))
    before = file.read_bytes()
    notes = metadata_of(train_adapter(examples, run(model, tmp_path / "w")).data)
    assert notes["initial_adapter"] == "common-face"
    assert notes["initial_adapter_sha256"] == hashlib.sha256(before).hexdigest()
    assert (file.read_bytes(), base_model_digest(open_model_folder(model))) == (before, digest)
    plain = dataclasses.replace(RECIPE, initial_adapter="")
    assert "initial_adapter" not in metadata_of(
        train_adapter(examples, run(model, tmp_path / "p", plain)).data
    )


class Killed(Exception):
    pass


def test_an_interrupted_run_ends_with_the_bytes_of_an_undisturbed_one(
    model: Path, examples: Examples, embedding: np.ndarray, tmp_path: Path
) -> None:
    ship_adapter(model)
    whole = train_adapter(examples, run(model, tmp_path / "whole", identity_embedding=embedding))

    def die(report: StepReport) -> None:
        if report.step == 2:
            raise Killed

    broken = run(model, tmp_path / "broken", identity_embedding=embedding, on_step=die)
    with pytest.raises(Killed):
        train_adapter(examples, broken)
    steps: list[int] = []
    resumed = dataclasses.replace(broken, on_step=lambda report: steps.append(report.step))
    assert train_adapter(examples, resumed) == whole
    assert steps == [3]


def test_checkpoints_that_began_elsewhere_are_not_gone_on_with(
    model: Path, examples: Examples, tmp_path: Path
) -> None:
    ship_adapter(model)
    train_adapter(examples, run(model, tmp_path / "w"))
    ship_adapter(model, alpha=1.0)
    steps: list[int] = []
    train_adapter(examples, run(model, tmp_path / "w", on_step=lambda report: steps.append(report.step)))
    assert steps == [1, 2, 3]


def test_what_cannot_be_started_from_is_refused_with_its_cause(
    model: Path, examples: Examples, tmp_path: Path
) -> None:
    with pytest.raises(UnknownAdapter, match="common-face"):
        train_adapter(examples, run(model, tmp_path / "w"))
    ship_adapter(model, rank=3)
    with pytest.raises(AdapterIncompatible, match="shape"):
        train_adapter(examples, run(model, tmp_path / "w"))
    ship_adapter(model, base="0" * 64)
    with pytest.raises(AdapterIncompatible, match="other weights"):
        train_adapter(examples, run(model, tmp_path / "w"))
    file = ship_adapter(model)
    tensors = safetensors.numpy.load_file(file)
    tensors.pop(min(tensors))
    facts = metadata_of(file.read_bytes())
    safetensors.numpy.save_file(tensors, file, metadata=facts)
    with pytest.raises(AdapterIncompatible, match="its layers are not those"):
        train_adapter(examples, run(model, tmp_path / "w"))
    file.write_bytes(b"no safetensors")
    with pytest.raises(AdapterIncompatible, match="cannot be read"):
        train_adapter(examples, run(model, tmp_path / "w"))
    with pytest.raises(UnknownAdapter):
        outside = dataclasses.replace(RECIPE, initial_adapter="../unet/diffusion_pytorch_model")
        train_adapter(examples, run(model, tmp_path / "w", outside))
