"""A packed folder is what plain diffusers expects."""

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderDC, StableDiffusionPipeline
from transformers import CLIPTokenizer
from typer.testing import CliRunner

from starter.__main__ import app
from starter.data.captions import tokenizer_corpus
from starter.models.generator import Generator
from starter.models.identity import attach_identity
from starter.models.text import MAX_TOKENS, build_text_encoder, build_tokenizer
from starter.models.unet import build_unet
from starter.models.vae import LATENT_CHANNELS, FoldedAutoencoder, build_autoencoder
from starter.pack import write_pipeline
from tests.unit.starter.samples import make_sample


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Generator, Path]:
    folder = tmp_path_factory.mktemp("pack")
    tokenizer = build_tokenizer(tokenizer_corpus([make_sample()]))
    tokenizer.save_pretrained(folder / "source")
    torch.manual_seed(0)
    unet = build_unet((32, 32, 32))
    population = torch.from_numpy(np.random.default_rng(0).normal(0, 0.1, (20, 128)).astype(np.float32))
    attach_identity(unet, population)
    model = Generator(tokenizer, build_text_encoder(tokenizer), unet).eval()
    vae = FoldedAutoencoder(build_autoencoder((32, 32, 32), (32, 32, 32)))
    (folder / "weights").mkdir()
    write_pipeline(model, vae, folder / "source", folder / "weights")
    return model, folder / "weights"


def test_packed_folder_loads_as_a_plain_diffusers_pipeline(packed: tuple[Generator, Path]) -> None:
    # The pipeline asks its autoencoder for a setting that AutoencoderDC lacks; each loads by itself.
    pipeline = StableDiffusionPipeline.from_pretrained(packed[1], vae=None, dtype=torch.float32)
    assert AutoencoderDC.from_pretrained(packed[1] / "vae").spatial_compression_ratio == 4
    assert pipeline.scheduler.config.prediction_type == "v_prediction"
    assert pipeline.unet.encoder_hid_proj is None
    assert pipeline.tokenizer.model_max_length == MAX_TOKENS


def test_packed_generator_predicts_what_the_trained_one_did(packed: tuple[Generator, Path]) -> None:
    model, folder = packed
    rng = torch.Generator().manual_seed(1)
    noisy, identity = (
        torch.randn(2, LATENT_CHANNELS, 16, 16, generator=rng),
        torch.randn(2, 128, generator=rng),
    )
    loaded = Generator.load(folder).eval()
    with torch.no_grad():
        text = model.float().encode_text(["a woman", ""])
        before = model(noisy, torch.tensor([10, 900]), text, identity)
        after = loaded(noisy, torch.tensor([10, 900]), loaded.encode_text(["a woman", ""]), identity)
        other = loaded(noisy, torch.tensor([10, 900]), text, identity.flip(0))
    assert torch.allclose(before, after, atol=0.02)
    assert not torch.allclose(after, other, atol=1e-4)


def test_both_tokenizer_files_say_the_same(packed: tuple[Generator, Path], tmp_path: Path) -> None:
    folder = packed[1] / "tokenizer"
    for name in ("vocab.json", "merges.txt"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    text = "portrait of a young woman, brown bob hair"
    assert CLIPTokenizer.from_pretrained(tmp_path)(text) == CLIPTokenizer.from_pretrained(folder)(text)


def test_small_nets_can_be_packed_alone(tmp_path: Path) -> None:
    weights, trained = tmp_path / "weights", tmp_path / "runs" / "scene" / "model"
    for folder, text in ((weights / "scene", "old"), (weights / "marks", "old"), (trained, "new")):
        folder.mkdir(parents=True)
        (folder / "card.json").write_text(text)
    (weights / "scene" / "left.onnx").write_text("old")
    command = ["pack", "--nets-only", "--runs", str(tmp_path / "runs"), "--weights", str(weights)]
    answer = CliRunner().invoke(app, command)
    assert answer.exit_code == 0
    assert "small nets: scene" in answer.output
    files = {str(f.relative_to(weights)): f.read_text() for f in weights.rglob("*") if f.is_file()}
    assert files == {"scene/card.json": "new", "marks/card.json": "old"}
    assert CliRunner().invoke(app, [*command, "--adapters-only"]).exit_code == 2
