"""Whole runs on a tiny model."""

import dataclasses
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch

from services.lora_training.adapters.torch_trainer import TrainingRun, train_adapter
from services.lora_training.adapters.torch_trainer.model import (
    conditioning_digest,
    load_denoiser,
    open_trainable,
)
from services.lora_training.domain.example import TrainingExample
from services.lora_training.domain.progress import StepReport
from services.lora_training.domain.recipe import Recipe
from services.lora_training.errors import CaptionTooLong, ModelNotTrainable
from shared.cancellation import CancellationToken, Cancelled
from shared.sdmodels import LoraMetadata, base_model_digest, open_model_folder
from tests.support.tiny_sd import TinySd, make_tiny_sd

RECIPE = Recipe(steps=9, batch_size=2, rank=2, alpha=2.0, variants_per_photo=3, checkpoint_every=4, seed=7)
Examples = list[TrainingExample]


def run(model: Path, work: Path, **fields: object) -> TrainingRun:
    work.mkdir(exist_ok=True)
    return TrainingRun(model_dir=model, work_dir=work, **{"recipe": RECIPE, **fields})


def test_equal_runs_give_equal_bytes_and_the_seed_matters(
    tiny_model: Path, examples: Examples, tmp_path: Path
) -> None:
    first = train_adapter(examples, run(tiny_model, tmp_path / "a"))
    assert train_adapter(examples, run(tiny_model, tmp_path / "b")) == first
    other = dataclasses.replace(RECIPE, seed=8)
    assert train_adapter(examples, run(tiny_model, tmp_path / "c", recipe=other)).data != first.data


class Killed(Exception):
    pass


@pytest.mark.parametrize("killed_at", [3, 5])
def test_an_interrupted_run_ends_with_the_bytes_of_an_undisturbed_one(
    tiny_model: Path, examples: Examples, embedding: np.ndarray, tmp_path: Path, killed_at: int
) -> None:
    whole = train_adapter(examples, run(tiny_model, tmp_path / "whole", identity_embedding=embedding))

    def die(report: StepReport) -> None:
        if report.step == killed_at:
            raise Killed

    broken = run(tiny_model, tmp_path / "broken", identity_embedding=embedding, on_step=die)
    with pytest.raises(Killed):
        train_adapter(examples, broken)
    steps: list[int] = []
    resumed = dataclasses.replace(broken, on_step=lambda report: steps.append(report.step))
    assert train_adapter(examples, resumed) == whole
    assert steps == list(range(killed_at // 4 * 4 + 1, 10))


def test_a_finished_run_is_not_trained_again(tiny_model: Path, examples: Examples, tmp_path: Path) -> None:
    done = train_adapter(examples, run(tiny_model, tmp_path / "w"))
    steps: list[StepReport] = []
    assert train_adapter(examples, run(tiny_model, tmp_path / "w", on_step=steps.append)) == done
    assert steps == []


def test_a_run_with_other_examples_ignores_foreign_checkpoints(
    tiny_model: Path, examples: Examples, tmp_path: Path
) -> None:
    train_adapter(examples, run(tiny_model, tmp_path / "w"))
    other = [dataclasses.replace(examples[0], caption="c"), *examples[1:]]
    fresh = train_adapter(other, run(tiny_model, tmp_path / "fresh"))
    assert train_adapter(other, run(tiny_model, tmp_path / "w")) == fresh


def test_cancel_stops_within_one_step_and_keeps_the_checkpoint(
    tiny_model: Path, examples: Examples, tmp_path: Path
) -> None:
    token, steps = CancellationToken(), []

    def watch(report: StepReport) -> None:
        steps.append(report.step)
        if report.step == 5:
            token.cancel()

    with pytest.raises(Cancelled):
        train_adapter(examples, run(tiny_model, tmp_path / "w", on_step=watch, token=token))
    assert steps == [1, 2, 3, 4, 5]
    assert [path.name for path in (tmp_path / "w" / "checkpoints").iterdir()] == ["00000004"]


def folder_digest(path: Path) -> str:
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def test_the_adapter_names_its_base_and_the_base_stays_untouched(
    tiny_model: Path, examples: Examples, tmp_path: Path
) -> None:
    before = folder_digest(tiny_model)
    trained = train_adapter(examples, run(tiny_model, tmp_path / "w", notes={"kind": "identity"}))
    assert folder_digest(tiny_model) == before
    file = tmp_path / "adapter.safetensors"
    file.write_bytes(trained.data)
    with safetensors.safe_open(file, framework="numpy") as tensors:
        metadata, keys = tensors.metadata(), list(tensors.keys())
    digest = base_model_digest(open_model_folder(tiny_model))
    assert LoraMetadata.from_safetensors(metadata) == LoraMetadata(digest, 2, 2.0)
    assert trained.base_model_sha256 == digest and metadata["kind"] == "identity"
    assert "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0.lora_A.weight" in keys
    projections = {key.split(".attn")[1][2:].split(".lora")[0] for key in keys}
    assert projections == {"to_q", "to_k", "to_v", "to_out.0"}


def test_diffusers_loads_the_adapter_with_its_alpha(
    tiny_model: Path, examples: Examples, tmp_path: Path
) -> None:
    from diffusers import StableDiffusionPipeline

    recipe = dataclasses.replace(RECIPE, alpha=6.0, learning_rate=0.05)
    trained = train_adapter(examples, run(tiny_model, tmp_path / "w", recipe=recipe))
    (tmp_path / "adapter.safetensors").write_bytes(trained.data)
    weights = safetensors.numpy.load(trained.data)
    pipe = StableDiffusionPipeline.from_pretrained(tiny_model, safety_checker=None)
    key = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
    layer = pipe.unet.get_submodule(key)
    x = torch.randn(4, layer.in_features)
    base = layer(x)
    pipe.load_lora_weights(str(tmp_path), weight_name="adapter.safetensors")
    down, up = (torch.from_numpy(weights[f"unet.{key}.lora_{side}.weight"]) for side in "AB")
    expected = base + 6.0 / 2 * x @ down.T @ up.T
    torch.testing.assert_close(pipe.unet.get_submodule(key)(x), expected, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(base, expected, atol=1e-4)


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction"])
def test_training_learns_what_it_is_shown(examples: Examples, tmp_path: Path, prediction_type: str) -> None:
    model = make_tiny_sd(tmp_path / "m", TinySd(prediction_type=prediction_type))
    # Both runs draw the same noise, timesteps and crops, so their losses differ by learning alone.
    recipe = Recipe(steps=40, batch_size=2, rank=8, learning_rate=3e-2, variants_per_photo=1, seed=1)
    idle = dataclasses.replace(recipe, learning_rate=1e-6)
    learned = train_adapter(examples[:1], run(model, tmp_path / "learned", recipe=recipe))
    unlearned = train_adapter(examples[:1], run(model, tmp_path / "idle", recipe=idle))
    assert learned.final_loss < 0.97 * unlearned.final_loss


def test_identity_tokens_change_what_is_learned(
    tiny_model: Path, examples: Examples, embedding: np.ndarray, tmp_path: Path
) -> None:
    plain = train_adapter(examples, run(tiny_model, tmp_path / "a"))
    told = train_adapter(examples, run(tiny_model, tmp_path / "b", identity_embedding=embedding))
    other = train_adapter(examples, run(tiny_model, tmp_path / "c", identity_embedding=-embedding))
    assert len({plain.data, told.data, other.data}) == 3
    always_dropped = dataclasses.replace(RECIPE, identity_dropout=1.0)
    runs = [
        run(tiny_model, tmp_path / name, identity_embedding=e, recipe=always_dropped)
        for name, e in (("d", embedding), ("e", -embedding))
    ]
    assert train_adapter(examples, runs[0]).data == train_adapter(examples, runs[1]).data


def test_an_averaged_result_is_another_adapter_of_the_same_shape(
    tiny_model: Path, examples: Examples, tmp_path: Path
) -> None:
    recipe = dataclasses.replace(RECIPE, checkpoint_every=3, average_last=3, learning_rate=0.05)
    averaged = train_adapter(examples, run(tiny_model, tmp_path / "a", recipe=recipe))
    last = train_adapter(
        examples, run(tiny_model, tmp_path / "b", recipe=dataclasses.replace(recipe, average_last=1))
    )
    assert averaged.data != last.data and len(averaged.data) == len(last.data)


def test_pictures_without_a_face_train_a_style(tiny_model: Path, examples: Examples, tmp_path: Path) -> None:
    pictures = [TrainingExample(example.image, "ink") for example in examples]
    assert train_adapter(pictures, run(tiny_model, tmp_path / "w")).final_loss > 0


def test_what_cannot_be_trained_is_refused_with_the_reason(examples: Examples, tmp_path: Path) -> None:
    long = [dataclasses.replace(examples[0], caption="a b c d e f g h i j k l m n o p q r s")]
    plain = make_tiny_sd(tmp_path / "plain", TinySd(ip_adapter=False))
    with pytest.raises(CaptionTooLong):
        train_adapter(long, run(plain, tmp_path / "w"))
    with pytest.raises(ModelNotTrainable, match="ip_adapter"):
        tokens = np.ones(128, np.float32) / 128**0.5
        train_adapter(examples, run(plain, tmp_path / "w", identity_embedding=tokens))
    with pytest.raises(ModelNotTrainable, match="SDXL"):
        train_adapter(examples, run(make_tiny_sd(tmp_path / "xl", TinySd(xl=True)), tmp_path / "w"))
    with pytest.raises(ModelNotTrainable):
        train_adapter(examples, run(tmp_path, tmp_path / "w"))
    with pytest.raises(ValueError, match="at least one example"):
        train_adapter([], run(plain, tmp_path / "w"))


def test_another_autoencoder_is_another_run(tiny_model: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tiny_model, tmp_path / "copy")
    digests = {conditioning_digest(open_trainable(folder)) for folder in (tiny_model, copy)}
    for part in ("vae", "text_encoder"):
        (copy / part / "config.json").write_text((copy / part / "config.json").read_text() + " ")
        digests.add(conditioning_digest(open_trainable(copy)))
    assert len(digests) == 3


def test_base_parameters_are_frozen(tiny_model: Path) -> None:
    unet = load_denoiser(open_trainable(tiny_model), with_identity=True)
    assert not any(parameter.requires_grad for parameter in unet.parameters())
