"""The installed base models: Stable Diffusion folders named in the settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import safetensors

from services.lora_training.domain.initial import ModelAdapter
from services.lora_training.domain.ports import BaseModel
from services.lora_training.errors import ModelNotTrainable, UnknownModel
from shared.errors.common import ModelMissing
from shared.sdmodels import (
    LoraMetadata,
    ModelFileMissing,
    ModelUnsupported,
    base_model_digest,
    open_model_folder,
)

_IDENTITY_INPUT = "image_proj.proj.0.weight"


class ModelFolders:
    """`ModelCatalogue` over folders by model name; the first one is the default."""

    def __init__(self, folders: Mapping[str, Path], licence: str, command: str) -> None:
        """Args: folders: at least one. licence, command: what an error tells about a missing model file."""
        self._folders = dict(folders)
        self._default = next(iter(folders))
        self._licence = licence
        self._command = command

    def find(self, name: str) -> BaseModel:
        """See `ModelCatalogue.find`."""
        name = name or self._default
        path = self._folders.get(name)
        if path is None:
            raise UnknownModel(model=name, known=", ".join(self._folders))
        try:
            folder = open_model_folder(path)
        except ModelFileMissing as error:
            raise ModelMissing(file=error.file, licence=self._licence, command=self._command) from error
        except ModelUnsupported as error:
            raise ModelNotTrainable(capability=f"training on {name}", needed=error.what) from error
        return BaseModel(name, path, _identity_dimension(folder.ip_adapter_file))

    def adapter(self, model: BaseModel, name: str) -> ModelAdapter | None:
        """See `ModelCatalogue.adapter`; its file is adapters/<name>.safetensors in the model's folder."""
        files = {file.stem: file for file in (model.folder / "adapters").glob("*.safetensors")}
        if name not in files:
            return None
        with safetensors.safe_open(files[name], framework="numpy") as tensors:
            facts = LoraMetadata.from_safetensors(tensors.metadata())
        digest = base_model_digest(open_model_folder(model.folder))
        return ModelAdapter(name, facts.rank, facts.base_model_sha256 == digest)


def _identity_dimension(file: Path | None) -> int | None:
    if file is None:
        return None
    with safetensors.safe_open(file, framework="numpy") as tensors:
        return int(tensors.get_slice(_IDENTITY_INPUT).get_shape()[1])
