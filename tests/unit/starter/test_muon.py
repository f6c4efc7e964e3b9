"""The optimiser: orthogonal steps for matrices, AdamW for the rest."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from starter.train.loop import Recipe, Trainer
from starter.train.muon import MuonWithAdamW, is_hidden_matrix, orthogonalised


@settings(max_examples=20, deadline=None)
@given(rows=st.integers(2, 40), columns=st.integers(2, 40), seed=st.integers(0, 1000))
def test_an_orthogonalised_matrix_has_singular_values_near_one(rows: int, columns: int, seed: int) -> None:
    matrix = torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))
    values = torch.linalg.svdvals(matrix)
    result = torch.linalg.svdvals(orthogonalised(matrix).float())
    # Directions that hold next to nothing may stay small; those that hold something must not.
    kept = result[values > 0.05 * values.max()]
    assert kept.min() > 0.4 and kept.max() < 1.4


def test_rows_of_a_bias_or_a_thin_matrix_are_left_to_adamw() -> None:
    assert is_hidden_matrix(torch.empty(64, 8, 3, 3))
    assert not is_hidden_matrix(torch.empty(64))
    assert not is_hidden_matrix(torch.empty(64, 3))


def test_adamw_part_equals_torch() -> None:
    ours, theirs = (nn.Linear(4, 3) for _ in range(2))
    theirs.load_state_dict(ours.state_dict())
    settings_ = {"lr": 1e-2, "betas": (0.9, 0.99), "weight_decay": 0.1}
    optimizers = (
        MuonWithAdamW(ours.parameters(), [], **settings_),  # type: ignore[arg-type]
        torch.optim.AdamW(theirs.parameters(), **settings_),  # type: ignore[arg-type]
    )
    inputs = torch.randn(8, 4)
    for _ in range(5):
        for model, optimizer in zip((ours, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            model(inputs).square().mean().backward()
            optimizer.step()
    torch.testing.assert_close(ours.weight, theirs.weight, rtol=1e-5, atol=1e-6)


def _squares(model: nn.Module, step: int) -> Tensor:
    inputs = torch.randn(4, 64, generator=torch.Generator().manual_seed(step))
    result: Tensor = (model(inputs) - inputs.flip(1)).square().mean()
    return result


@pytest.mark.parametrize("stop_at", [3, 7])
def test_a_resumed_run_ends_with_the_weights_of_an_undisturbed_one(tmp_path: Path, stop_at: int) -> None:
    recipe = Recipe(steps=10, lr=1e-2, lr_end=1e-3, batch=4, warmup_steps=2, uses_muon=True)

    def start(folder: Path) -> Trainer:
        torch.manual_seed(0)
        return Trainer(nn.Linear(64, 64), recipe, folder)

    whole = start(tmp_path / "whole")
    whole.run(_squares)
    start(tmp_path / "parts").run(_squares, until=stop_at)
    resumed = start(tmp_path / "parts")
    assert resumed.resume()
    resumed.run(_squares)
    for name, parameter in whole.parameters.items():
        assert torch.equal(parameter, resumed.parameters[name])
    assert "momentum" in next(iter(resumed.optimizer.state.values()))
