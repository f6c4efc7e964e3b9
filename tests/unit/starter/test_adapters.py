"""Style, common-face and few-step adapters: training at toy size, files, packing."""

import os
import shutil
import time
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel
from safetensors import safe_open
from safetensors.torch import load_file
from typer.testing import CliRunner

from services.diffusion.adapters.lora_files import LoraRules, read_lora
from services.lora_training.adapters.torch_trainer.lora import TARGET_MODULES
from services.lora_training.domain.recipe import Recipe as JobRecipe
from shared.sdmodels import LoraMetadata, base_model_digest, open_model_folder
from starter.__main__ import app
from starter.data.looks import in_every_look
from starter.data.manifest import read_manifest
from starter.models.generator import Generator
from starter.pack import WEIGHTS
from starter.packed_adapters import pack_adapters
from starter.train import adapters, common_face, fewstep, style
from starter.train.adapters import (
    Base,
    LoraShape,
    Plan,
    adapter_bytes,
    add_lora,
    open_base,
    train_adapter,
)
from starter.train.loop import LossFn, Trainer, rng_of_step
from tests.unit.starter.samples import make_sample
from tests.unit.starter.toy_base import make_base, make_generator, make_looks


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("base"))[1]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_looks(tmp_path_factory.mktemp("looks"), ("ink", "neon"))


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (style, common_face, fewstep):
        monkeypatch.setattr(module, "RECIPE", replace(module.RECIPE, batch=2, steps=2, warmup_steps=1))


def _facts(file: Path) -> dict[str, str]:
    with safe_open(file, "pt") as tensors:
        return dict(tensors.metadata())


def test_each_look_gets_an_adapter_of_the_packed_folder_whose_weights_stay_as_they_are(
    weights: Path, data: Path, tmp_path: Path
) -> None:
    digest = base_model_digest(open_model_folder(weights))
    style.train(data, tmp_path, base=weights)
    files = {file.stem: file for file in tmp_path.glob("style/*/*.safetensors") if "latents" not in file.stem}
    files.pop("checkpoint")
    assert set(files) == {"ink", "neon"}
    facts = LoraMetadata.from_safetensors(_facts(files["ink"]))
    assert facts == LoraMetadata(digest, rank=style.SHAPE.rank, alpha=float(style.SHAPE.rank))
    assert _facts(files["ink"])["licence"] == "Apache-2.0"
    assert base_model_digest(open_model_folder(weights)) == digest
    ink, neon = load_file(files["ink"]), load_file(files["neon"])
    assert any("conv_out" in key for key in ink)
    assert not any("to_q" in key for key in ink)
    assert any(not torch.equal(ink[key], neon[key]) for key in ink)


def test_the_decoder_sees_every_picture_in_every_look(data: Path) -> None:
    samples = read_manifest(data)
    images = [sample.image.name for sample in in_every_look(samples)]
    assert len(images) == 3 * len(samples)
    assert images.count("0.ink.jpg") == images.count("0.neon.jpg") == images.count("0.jpg")
    assert in_every_look([make_sample()])[0].image == make_sample().image


def test_the_base_is_the_chosen_folder_else_the_newest_generator_else_the_shipped_one(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []

    def write(_data: Path, _runs: Path, folder: Path) -> None:
        written.append(folder)
        shutil.copytree(weights, folder, dirs_exist_ok=True)
        os.utime(folder / "model_index.json")

    monkeypatch.setattr(adapters, "write_generator", write)
    assert open_base(tmp_path, tmp_path).folder == WEIGHTS
    checkpoint = tmp_path / "generator" / "checkpoint.safetensors"
    checkpoint.parent.mkdir()
    checkpoint.touch()
    assert open_base(tmp_path, tmp_path, weights).folder == weights
    assert written == []
    for _ in range(2):
        assert open_base(tmp_path, tmp_path).folder == tmp_path / "base"
    assert written == [tmp_path / "base"]
    later = time.time() + 10
    os.utime(checkpoint, (later, later))
    open_base(tmp_path, tmp_path)
    assert len(written) == 2


def test_a_look_that_the_data_lacks_is_refused_before_anything_is_trained(
    weights: Path, data: Path, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError, match=r"chalk.*--looks render,ink,neon,chalk"):
        style.train(data, tmp_path, looks=["ink", "chalk"], base=weights)
    assert not (tmp_path / "style").exists()


def _plan(steps: int, rank: int = 2) -> Plan:
    return Plan(
        "toy", "A toy.", LoraShape(rank, r".*to_v"), replace(style.RECIPE, steps=steps, warmup_steps=0)
    )


def _make_loss(trainer: Trainer) -> LossFn:
    def loss(_model: torch.nn.Module, step: int) -> torch.Tensor:
        _, noise = rng_of_step(3, step)
        wanted = torch.randn(1, generator=noise)
        return sum((p - wanted).square().mean() for p in trainer.parameters.values())  # type: ignore[return-value]

    return loss


def test_an_interrupted_run_ends_with_the_bytes_of_an_undisturbed_one(weights: Path, tmp_path: Path) -> None:
    base = open_base(tmp_path, tmp_path, weights)
    train_adapter(base, _plan(6), tmp_path / "whole", _make_loss)

    def stopping(trainer: Trainer) -> LossFn:
        inner = _make_loss(trainer)

        def loss(model: torch.nn.Module, step: int) -> torch.Tensor:
            trainer.stop.received = step == 2
            return inner(model, step)

        return loss

    assert not train_adapter(base, _plan(6), tmp_path / "broken", stopping)
    assert not (tmp_path / "broken" / "toy.safetensors").exists()
    assert train_adapter(base, _plan(6), tmp_path / "broken", _make_loss)
    whole, broken = (tmp_path / name / "toy.safetensors" for name in ("whole", "broken"))
    assert whole.read_bytes() == broken.read_bytes()


def test_a_run_on_another_base_is_kept_aside_and_begins_anew(weights: Path, tmp_path: Path) -> None:
    base = open_base(tmp_path, tmp_path, weights)
    train_adapter(base, _plan(2), tmp_path / "run", _make_loss)
    before = (tmp_path / "run" / "checkpoint.safetensors").read_bytes()
    train_adapter(Base(base.folder, "0" * 64), _plan(2), tmp_path / "run", _make_loss)
    assert (tmp_path / "run.1" / "checkpoint.safetensors").read_bytes() == before
    assert _facts(tmp_path / "run" / "toy.safetensors")["base_model_sha256"] == "0" * 64


def test_packing_takes_what_fits_the_base_and_removes_what_does_not(weights: Path, tmp_path: Path) -> None:
    base = open_base(tmp_path, tmp_path, weights)
    train_adapter(base, replace(_plan(1), name="ink"), tmp_path / "style" / "ink", _make_loss)
    stranger = Base(base.folder, "0" * 64)
    train_adapter(stranger, replace(_plan(1), name="fewstep"), tmp_path / "fewstep", _make_loss)
    shelf = weights / "adapters"
    shelf.mkdir()
    (shelf / "old.safetensors").write_bytes((tmp_path / "fewstep" / "fewstep.safetensors").read_bytes())
    packed = pack_adapters(tmp_path, weights)
    assert (packed.added, packed.left_out, packed.removed) == (["ink"], ["fewstep"], ["old"])
    assert [file.name for file in shelf.iterdir()] == ["ink.safetensors"]


def test_the_common_face_has_the_layers_and_the_rank_of_an_identity_adapter() -> None:
    unet = make_generator().unet.requires_grad_(False)
    add_lora(unet, common_face.SHAPE, seed=0)
    taught = {name.split(".lora_")[0] for name, p in unet.named_parameters() if p.requires_grad}
    theirs = {name for name, _ in unet.named_modules() if name.endswith(TARGET_MODULES)}
    assert taught == theirs
    assert common_face.SHAPE.rank == JobRecipe().rank


@pytest.mark.parametrize("module", [style, common_face, fewstep])
def test_the_server_can_apply_what_is_trained(module: Any, weights: Path) -> None:
    """Every layer is one of the plain UNet: identity layers are loaded from another file, and not by all."""
    model = Generator.load(weights).requires_grad_(False)
    add_lora(model.unet, module.SHAPE, seed=0)
    plan = Plan("toy", "A toy.", module.SHAPE, module.RECIPE)
    digest = base_model_digest(open_model_folder(weights))
    plain = UNet2DConditionModel.from_pretrained(weights / "unet")
    shapes = {
        f"unet.{name}": tuple(layer.weight.shape)
        for name, layer in plain.named_modules()
        if isinstance(layer, torch.nn.Linear | torch.nn.Conv2d)
    }
    data = adapter_bytes(model.unet, plan, Base(weights, digest))
    layers = read_lora(data, LoraRules(shapes, digest, max_rank=128))
    assert len(layers) >= 10
    assert {layer.rank for layer in layers.values()} == {module.SHAPE.rank}


def test_its_captions_speak_of_the_person_and_not_of_the_scene() -> None:
    captions = {common_face.person_caption(make_sample(), np.random.default_rng(seed)) for seed in range(50)}
    words = " ".join(captions)
    assert {"tan skin", "brown bob hair", "hazel eyes", "round glasses"} <= set(
        ", ".join(captions).split(", ")
    )
    assert not any(word in words for word in ("background", "shirt", "smiling", "light", "facing"))


def test_a_student_that_jumps_is_taught_by_its_own_average(
    weights: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fewstep, "STUDENT_STEPS", 4)
    asked: list[float] = []
    whole = fewstep.averaged

    def spied(trainer: Trainer) -> AbstractContextManager[None]:
        mean = torch.cat([value.flatten() for value in trainer.average.values()])
        with whole(trainer):
            inside = torch.cat([p.flatten() for p in trainer.parameters.values()])
            asked.append(float((inside - mean).abs().max()))
        return whole(trainer)

    monkeypatch.setattr(fewstep, "averaged", spied)
    before = base_model_digest(open_model_folder(weights))
    fewstep.train(data, tmp_path, steps=3, base=weights)
    assert asked and max(asked) == 0
    assert base_model_digest(open_model_folder(weights)) == before


@pytest.mark.parametrize("module", [common_face, fewstep])
def test_adapters_that_are_no_looks_are_trained_on_the_packed_folder(
    module: Any, weights: Path, data: Path, tmp_path: Path
) -> None:
    module.train(data, tmp_path, base=weights)
    file = tmp_path / module.NAME / f"{module.NAME}.safetensors"
    tensors = load_file(file)
    assert any(float(value.abs().max()) > 0 for key, value in tensors.items() if "lora_B" in key)
    assert all(value.dtype == torch.float16 and torch.isfinite(value).all() for value in tensors.values())


def test_the_teacher_is_the_generator_without_its_adapter() -> None:
    model = make_generator()
    model.unet.requires_grad_(False)
    noisy, timesteps = torch.randn(1, model.unet.config.in_channels, 16, 16), torch.tensor([500])
    text, nobody = model.encode_text(["a woman"]), torch.zeros(1, 128)
    with torch.no_grad():
        before = model(noisy, timesteps, text, nobody)
        add_lora(model.unet, fewstep.SHAPE, seed=0)
        for name, parameter in model.unet.named_parameters():
            if "lora_B" in name:
                parameter.fill_(0.1)
        with fewstep.without_adapter(model):
            teacher = model(noisy, timesteps, text, nobody)
        student = model(noisy, timesteps, text, nobody)
    assert torch.equal(teacher, before)
    assert not torch.allclose(student, before, atol=1e-3)


def test_options_of_adapters_are_refused_elsewhere() -> None:
    runner = CliRunner()
    assert "no looks" in runner.invoke(app, ["train", "vae", "--look", "ink"]).output
    assert "--base is for" in runner.invoke(app, ["train", "vae", "--base", "x"]).output
