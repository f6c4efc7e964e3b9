"""Installed models: loaded once, and a folder that cannot be used says what is missing."""

import json
from pathlib import Path

import numpy as np
import pytest

from services.diffusion.adapters.model_folders import AdapterLimits, ModelFolders
from services.diffusion.domain.adapters import Adapter, AdapterUse, LoraLayer
from services.diffusion.domain.request import GenerationRequest
from services.diffusion.engine.generation import start_program
from services.diffusion.errors import CapabilityUnavailable, ModelMissing, UnknownModel
from shared.artifacts import open_store
from tests.support.tiny_sd import TinySd, make_tiny_sd


def _folders(**paths: Path) -> ModelFolders:
    return ModelFolders(paths, open_store("memory://folders"), AdapterLimits(max_rank=8, cache_bytes=0))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_sd(tmp_path_factory.mktemp("folders") / "tiny", TinySd(ip_adapter=False))


def test_a_model_is_loaded_once_and_the_first_is_the_default(tiny: Path) -> None:
    folders = _folders(first=tiny, second=tiny / "nowhere")

    assert folders.load("") is folders.load("first")
    assert tuple(folders.names()) == ("first", "second")


def test_an_unknown_name_is_answered_with_the_known_ones(tiny: Path) -> None:
    with pytest.raises(UnknownModel) as caught:
        _folders(first=tiny).load("other")

    assert caught.value.metadata == {"model": "other", "known": "first"}


def test_a_missing_file_is_named_with_licence_and_command(tmp_path: Path) -> None:
    path = make_tiny_sd(tmp_path / "m")
    (path / "LICENSE").write_text("# Open Weights 1.0\nmore")
    (path / "vae" / "diffusion_pytorch_model.safetensors").unlink()

    with pytest.raises(ModelMissing) as caught:
        _folders(m=path).load("m")

    assert str(path / "vae") in caught.value.metadata["file"]
    assert caught.value.metadata["licence"] == "Open Weights 1.0"
    assert "LIKENESS_DIFFUSION_MODELS" in caught.value.metadata["command"]


def test_the_model_card_states_the_licence(tmp_path: Path) -> None:
    path = make_tiny_sd(tmp_path / "m", TinySd(ip_adapter=False))
    (path / "README.md").write_text("---\nlicense: openrail\ntags: [a]\n---\n# Model")

    assert _folders(m=path).load("").info.licence == "openrail"


def test_another_family_is_named_in_the_error(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "FluxPipeline", "transformer": []}))

    with pytest.raises(CapabilityUnavailable, match="FluxPipeline"):
        _folders(flux=tmp_path).load("")


def test_text_encoder_layers_of_an_adapter_change_the_prompt_alone(tiny: Path) -> None:
    model = _folders(tiny=tiny).load("")
    path = "text_encoder.encoder.layers.0.self_attn.q_proj"
    # Not constant: what comes out of a layer norm is orthogonal to that.
    layer = LoraLayer(np.arange(16, dtype=np.float32)[None], np.ones((16, 1), np.float32))
    mix = (AdapterUse(Adapter("a", "00", 0, {path: layer}), 1.0),)
    request = GenerationRequest(prompt="a face", guidance_scale=1.0)

    plain, changed, again = (next(start_program(model, request, m)).rows[0] for m in ((), mix, ()))

    assert np.abs(plain.text.context - changed.text.context).max() > 1e-3
    np.testing.assert_array_equal(plain.text.context, again.text.context)
    np.testing.assert_array_equal(plain.latent, changed.latent)
