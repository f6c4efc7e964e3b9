"""Which base models a job may name."""

import json
import shutil
from pathlib import Path

import pytest

from services.lora_training.adapters.model_folders import ModelFolders
from services.lora_training.errors import ModelNotTrainable, UnknownModel
from shared.errors.common import ModelMissing


def folders(**paths: Path) -> ModelFolders:
    return ModelFolders(paths, "CC0-1.0", "make it")


def test_the_first_model_is_the_default_and_tells_the_size_of_its_embeddings(tiny_model: Path) -> None:
    catalogue = folders(one=tiny_model, two=tiny_model)
    assert catalogue.find("").name == "one" and catalogue.find("two").name == "two"
    assert catalogue.find("").identity_dimension == 128


def test_a_model_without_ip_adapter_takes_no_embeddings(tiny_model: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tiny_model, tmp_path / "copy")
    (copy / "ip_adapter.safetensors").unlink()
    assert folders(one=copy).find("").identity_dimension is None


def test_what_cannot_be_found_or_trained_is_named(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownModel, match="one"):
        folders(one=tiny_model).find("three")
    copy = shutil.copytree(tiny_model, tmp_path / "copy")
    (copy / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(ModelMissing, match="make it"):
        folders(one=copy).find("")
    index = {"_class_name": "FluxPipeline", "transformer": ["diffusers", "FluxTransformer2DModel"]}
    (copy / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(ModelNotTrainable, match="FluxPipeline"):
        folders(one=copy).find("")
