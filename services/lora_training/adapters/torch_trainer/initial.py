"""Starts LoRA matrices from an adapter that the base model ships, such as one of many faces."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import safetensors
import safetensors.torch
import torch

from services.lora_training.domain.recipe import Recipe
from services.lora_training.errors import AdapterIncompatible, UnknownAdapter
from shared.sdmodels import LoraMetadata

FOLDER: Final = "adapters"


@dataclass(frozen=True)
class InitialAdapter:
    """What a training starts from.

    Attributes:
        name: as the recipe names it.
        sha256: hex digest of its file.
        weights: matrices by file key, the scale of B as in the file.
        facts: what its file says.
    """

    name: str
    sha256: str
    weights: Mapping[str, torch.Tensor]
    facts: LoraMetadata

    def notes(self) -> dict[str, str]:
        """Return the entries that the result's metadata gets."""
        return {"initial_adapter": self.name, "initial_adapter_sha256": self.sha256}

    def copy_into(self, parameters: Mapping[str, torch.nn.Parameter], recipe: Recipe) -> None:
        """Set the matrices of a training so that they do what the adapter does, whatever its alpha.

        Raises: AdapterIncompatible unless it has the very matrices of `parameters`; then none is changed.
        """
        cause = self._misfit(parameters)
        if cause is not None:
            raise AdapterIncompatible(adapter=self.name, cause=cause)
        alpha = recipe.rank if self.facts.alpha is None else self.facts.alpha
        with torch.no_grad():
            for key, parameter in parameters.items():
                # Both ranks are equal, so the effects are where alpha times B is.
                factor = alpha / recipe.alpha if ".lora_B." in key else 1.0
                parameter.copy_(self.weights[key].float() * factor)

    def _misfit(self, parameters: Mapping[str, torch.nn.Parameter]) -> str | None:
        strangers = parameters.keys() ^ self.weights.keys()
        if strangers:
            return f"its layers are not those of an identity adapter ({min(strangers)})"
        for key, parameter in parameters.items():
            ours, theirs = tuple(parameter.shape), tuple(self.weights[key].shape)
            if ours != theirs:
                return f"{key} has the shape {theirs}, in the training {ours}"
            if not torch.isfinite(self.weights[key]).all():
                return f"{key} holds values that are not finite"
        return None


def read_initial(model_dir: Path, name: str, base_model_sha256: str) -> InitialAdapter | None:
    """Read adapters/<name>.safetensors of the model folder; None for the name "".

    Raises: UnknownAdapter, AdapterIncompatible if it cannot be read or was trained on other weights.
    """
    if not name:
        return None
    file = next((f for f in (model_dir / FOLDER).glob("*.safetensors") if f.stem == name), None)
    if file is None:
        raise UnknownAdapter(adapter=name)
    data = file.read_bytes()
    try:
        weights = safetensors.torch.load(data)
        with safetensors.safe_open(file, framework="pt") as tensors:
            facts = LoraMetadata.from_safetensors(tensors.metadata())
    except (safetensors.SafetensorError, ValueError) as error:
        raise AdapterIncompatible(adapter=name, cause="its file cannot be read") from error
    if facts.base_model_sha256 != base_model_sha256:
        raise AdapterIncompatible(
            adapter=name, cause="it was trained on other weights than those of the base model"
        )
    return InitialAdapter(name, hashlib.sha256(data).hexdigest(), weights, facts)
