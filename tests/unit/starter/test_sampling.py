"""The shortest loop that draws: how many rows guidance takes, and that precision may change."""

import shutil
from pathlib import Path

import pytest
import torch
from torch._dynamo.utils import counters

from starter.models.generator import Generator
from starter.models.vae import FoldedAutoencoder
from starter.sampling import FrozenGenerator, Guidance, draw
from tests.unit.starter.toy_base import make_base, make_generator


@pytest.mark.parametrize(
    ("guidance", "rows"),
    [
        (Guidance(3.0, 4.0), ("nothing", "words", "both")),
        (Guidance(3.0, 3.0), ("nothing", "both")),
        (Guidance(1.0, 1.0), ("both",)),
    ],
)
def test_guidance_takes_the_rows_that_it_needs(guidance: Guidance, rows: tuple[str, ...]) -> None:
    assert guidance.rows == rows


def test_equal_scales_are_what_three_rows_give() -> None:
    nothing, words, both = torch.randn(3, 2, 4)
    three = nothing + 2.5 * (words - nothing) + 2.5 * (both - words)
    torch.testing.assert_close(Guidance(2.5, 2.5).combine([nothing, both]), three)
    torch.testing.assert_close(Guidance(1.0, 1.0).combine([both]), both)
    apart = nothing + 2 * (words - nothing) + 3 * (both - words)
    torch.testing.assert_close(Guidance(2.0, 3.0).combine([nothing, words, both]), apart)


# diffusers' scheduler hands torch tensors to NumPy 2 as NumPy 1 took them.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("guidance", [Guidance(3.0, 4.0), Guidance(1.0, 1.0)])
def test_half_precision_draws_nearly_the_same_picture(tmp_path: Path, guidance: Guidance) -> None:
    _, weights = make_base(tmp_path)
    model, vae = Generator.load(weights), FoldedAutoencoder.load(weights / "vae")
    person = torch.nn.functional.normalize(torch.ones(1, 128), dim=1)
    plain = draw(model, vae, ["a man"], person, guidance, steps=2)
    half = draw(model.to(torch.bfloat16), vae, ["a man"], person, guidance, steps=2)
    assert plain.shape == half.shape == (1, 3, 256, 256)
    assert plain.dtype == torch.uint8
    assert float((plain.float() - half.float()).abs().mean()) < 8


@pytest.mark.slow  # compiles a network
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch compiles with a C++ compiler: install g++")
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method`:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:Dynamo detected a call:UserWarning")
@torch.no_grad()
def test_a_frozen_generator_predicts_the_same_and_has_laid_its_weights_out() -> None:
    model = make_generator()
    frozen = FrozenGenerator(model)
    rows = torch.randn(3, 32, 16, 16), torch.tensor([999, 500, 1])
    condition = model.encode_text(["", "a man", "a man"]), torch.nn.functional.normalize(torch.ones(3, 128))
    inputs = [value if value.dtype == torch.int64 else value.bfloat16() for value in (*rows, *condition)]
    plain, fast = model(*rows, *condition), frozen(*inputs)
    assert float((plain - fast.float()).abs().max()) < 0.05 * float(plain.abs().max())
    # Compiled without constants it is right too, and three times slower: nothing else would tell.
    done = counters["inductor"]
    assert done["mkldnn_conv_weight_pack_matcher_count"] >= 20
    assert done["mkldnn_linear_weight_pack_matcher_count"] >= 50
    assert all(weight.dtype == torch.float32 for weight in model.parameters()), "it has copies of its own"
