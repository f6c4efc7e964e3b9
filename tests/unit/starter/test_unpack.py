"""A packed folder becomes a folder of runs that training goes on from."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from starter.__main__ import app
from starter.models.generator import Generator
from starter.models.identity import identity_state
from starter.pack import write_generator
from starter.train.generator import RECIPE, prepare
from starter.train.loop import Trainer
from starter.unpack import unpack
from tests.unit.starter.samples import write_data_set
from tests.unit.starter.toy_base import make_base


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A toy folder; the generator's trainer builds a UNet of its size."""
    from starter.models.unet import build_unet

    monkeypatch.setattr("starter.train.generator.build_unet", lambda: build_unet((32, 32, 32)))
    return make_base(tmp_path)[1]


def test_the_run_starts_from_what_was_packed(base: Path, tmp_path: Path) -> None:
    data, runs = tmp_path / "data", tmp_path / "runs"
    write_data_set(data)
    unpack(base, runs)
    model, _ = prepare(data, runs)
    trainer = Trainer(model, replace(RECIPE, steps=10), runs / "generator")
    assert trainer.resume()
    assert trainer.step == 0
    packed = Generator.load(base)
    for name, value in packed.unet.state_dict().items():
        assert torch.equal(model.unet.state_dict()[name], value), name
    for name, value in packed.text_encoder.state_dict().items():
        assert torch.equal(model.text_encoder.state_dict()[name], value), name
    for name, value in identity_state(packed.unet).items():
        assert torch.equal(identity_state(model.unet)[name], value), name


def test_what_is_unpacked_packs_to_the_same_weights(base: Path, tmp_path: Path) -> None:
    data, runs, again = tmp_path / "data", tmp_path / "runs", tmp_path / "again"
    write_data_set(data)
    unpack(base, runs)
    write_generator(data, runs, again)
    for file in ("unet/diffusion_pytorch_model.safetensors", "ip_adapter.safetensors"):
        assert (again / file).read_bytes() == (base / file).read_bytes(), file
    fold = json.loads((base / "vae" / "fold.json").read_text())
    assert json.loads((again / "vae" / "fold.json").read_text()) == fold


@pytest.mark.parametrize("run", ["generator", "decoder", "reader"])
def test_runs_that_are_there_are_not_overwritten(base: Path, tmp_path: Path, run: str) -> None:
    kept = tmp_path / "runs" / run / "checkpoint.safetensors"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"hours of work")
    with pytest.raises(FileExistsError, match=f"{run} already; unpack into an empty folder"):
        unpack(base, tmp_path / "runs")
    assert kept.read_bytes() == b"hours of work"
    assert not (tmp_path / "runs" / "vae").exists()


def test_a_folder_that_lacks_a_part_leaves_nothing_behind(base: Path, tmp_path: Path) -> None:
    (base / "ip_adapter.safetensors").unlink()
    answer = CliRunner().invoke(app, ["unpack", "--runs", str(tmp_path / "runs"), "--weights", str(base)])
    assert answer.exit_code == 2
    assert not (tmp_path / "runs").exists()
