"""Adapters that start from those of an earlier base."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from typer.testing import CliRunner

from starter.__main__ import app
from starter.train import style
from starter.train.adapters import LoraShape, Plan, open_base, train_adapter
from starter.train.loop import LossFn, Trainer
from tests.unit.starter.toy_base import make_base, make_looks


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """An adapter of another base that has moved away from no effect."""
    (tmp_path / "earlier").mkdir()
    base = open_base(tmp_path, tmp_path, make_base(tmp_path / "earlier", seed=1)[1])
    train_adapter(base, _plan(steps=4), tmp_path / "shelf", _grow)
    return tmp_path / "shelf" / "ink.safetensors"


def _plan(steps: int, start: Path | None = None, rank: int = style.SHAPE.rank) -> Plan:
    recipe = replace(style.RECIPE, steps=steps, batch=2, lr=1e-2, warmup_steps=0)
    return Plan("ink", "A toy.", LoraShape(rank, style.SHAPE.layers), recipe, start)


def _grow(trainer: Trainer) -> LossFn:
    def loss(_model: torch.nn.Module, _step: int) -> torch.Tensor:
        return sum((p - 1).square().sum() for p in trainer.parameters.values())  # type: ignore[return-value]

    return loss


def _stay(trainer: Trainer) -> LossFn:
    def loss(_model: torch.nn.Module, _step: int) -> torch.Tensor:
        return sum(0 * p.sum() for p in trainer.parameters.values())  # type: ignore[return-value]

    return loss


def test_it_goes_on_from_the_matrices_and_counts_what_they_have_seen(earlier: Path, tmp_path: Path) -> None:
    (tmp_path / "later").mkdir()
    base = open_base(tmp_path, tmp_path, make_base(tmp_path / "later", seed=2)[1])
    train_adapter(base, _plan(steps=1, start=earlier), tmp_path / "run", _stay)
    file = tmp_path / "run" / "ink.safetensors"
    before, after = load_file(earlier), load_file(file)
    assert set(before) == set(after)
    assert any(value.any() for key, value in before.items() if "lora_B" in key)
    for key, value in before.items():
        assert torch.allclose(after[key].float(), value.float(), atol=1e-3), key
    with safe_open(file, "pt") as tensors:
        assert tensors.metadata()["samples_seen"] == str(4 * 2 + 1 * 2)
        assert tensors.metadata()["base_model_sha256"] == base.digest


def test_an_adapter_of_another_shape_is_refused_and_the_run_there_is_left_alone(
    earlier: Path, tmp_path: Path
) -> None:
    (tmp_path / "later").mkdir()
    base = open_base(tmp_path, tmp_path, make_base(tmp_path / "later")[1])
    train_adapter(base, _plan(steps=1), tmp_path / "run", _stay)
    before = (tmp_path / "run" / "ink.safetensors").read_bytes()
    with pytest.raises(ValueError, match="another rank"):
        train_adapter(base, _plan(steps=1, start=earlier, rank=2), tmp_path / "run", _stay)
    assert (tmp_path / "run" / "ink.safetensors").read_bytes() == before


def test_a_run_goes_on_from_its_checkpoint_whatever_start_is_named_later(
    earlier: Path, tmp_path: Path
) -> None:
    (tmp_path / "later").mkdir()
    base = open_base(tmp_path, tmp_path, make_base(tmp_path / "later")[1])

    def stopping(trainer: Trainer) -> LossFn:
        trainer.stop.received = True
        return _grow(trainer)

    assert not train_adapter(base, _plan(steps=2, start=earlier), tmp_path / "run", stopping)
    earlier.unlink()
    assert train_adapter(base, _plan(steps=2), tmp_path / "run", _stay)
    with safe_open(tmp_path / "run" / "ink.safetensors", "pt") as tensors:
        assert tensors.metadata()["samples_seen"] == str(4 * 2 + 2 * 2)
        moved = [key for key in tensors.keys() if "lora_B" in key and tensors.get_tensor(key).any()]  # noqa: SIM118
    assert moved, "what it started from is in its checkpoint"
    assert not (tmp_path / "run.1").exists()


def test_a_folder_without_any_of_the_looks_is_refused(tmp_path: Path) -> None:
    (tmp_path / "later").mkdir()
    weights = make_base(tmp_path / "later")[1]
    data = make_looks(tmp_path / "looks", ("ink",))
    with pytest.raises(FileNotFoundError, match="none of ink"):
        style.train(data, tmp_path / "runs", base=weights, start=tmp_path)
    assert not (tmp_path / "runs").exists()


def test_looks_start_from_the_shelf_where_it_has_them(
    earlier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "later").mkdir()
    weights = make_base(tmp_path / "later")[1]
    data = make_looks(tmp_path / "looks", ("ink", "neon"))
    started: dict[str, Path | None] = {}

    def noted(_base: object, plan: Plan, *_: object) -> bool:
        started[plan.name] = plan.start
        return True

    monkeypatch.setattr(style, "train_adapter", noted)
    style.train(data, tmp_path / "runs", base=weights, start=earlier.parent)
    assert started == {"ink": earlier, "neon": None}


def test_a_start_that_is_no_folder_is_refused_in_one_sentence(tmp_path: Path) -> None:
    def refused(*options: str) -> str:
        answer = CliRunner().invoke(app, ["train", *options])
        assert answer.exit_code == 2
        # The frame breaks lines where the width says, also within a path.
        return "".join(answer.output.replace("│", "").split())

    assert "nowhereisnofolder" in refused("style", "--start", str(tmp_path / "nowhere"))
    assert "vaestartsfromnothing" in refused("vae", "--start", str(tmp_path))
