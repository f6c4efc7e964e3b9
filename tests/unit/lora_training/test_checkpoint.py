"""Checkpoints are complete or absent."""

from pathlib import Path

import torch

from services.lora_training.adapters.torch_trainer.checkpoint import Checkpoint, CheckpointFolder


def checkpoint(step: int) -> Checkpoint:
    value = torch.full((2, 3), float(step))
    return Checkpoint(step, [0.1 * step] * step, {"unet.a": value}, {"unet.a/exp_avg": value + 0.5})


def test_the_newest_checkpoint_comes_back_exactly(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path / "c", "run", keep=2)
    for step in (1, 2, 3):
        folder.save(checkpoint(step))
    found = folder.load_newest()
    assert found is not None and (found.step, found.losses) == (3, checkpoint(3).losses)
    assert torch.equal(found.weights["unet.a"], checkpoint(3).weights["unet.a"])
    assert torch.equal(found.moments["unet.a/exp_avg"], checkpoint(3).moments["unet.a/exp_avg"])
    assert [kept.step for kept in folder.load_all()] == [2, 3]


def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, "run", keep=2)
    folder.save(checkpoint(1))
    folder.save(checkpoint(2))
    file = tmp_path / "00000002" / "state.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")
    found = folder.load_newest()
    assert found is not None and found.step == 1


def test_a_draft_of_a_killed_write_is_no_checkpoint(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, "run")
    (tmp_path / ".00000005.draft").mkdir()
    assert folder.load_newest() is None
    folder.save(checkpoint(5))
    assert [path.name for path in tmp_path.iterdir()] == ["00000005"]


def test_checkpoints_of_another_run_do_not_count(tmp_path: Path) -> None:
    CheckpointFolder(tmp_path, "one").save(checkpoint(1))
    assert CheckpointFolder(tmp_path, "two").load_newest() is None
