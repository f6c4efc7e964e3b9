"""An adapter in a tiny model folder, as the starter pack ships its common face."""

import json
from pathlib import Path

import numpy as np
import safetensors.numpy

from services.lora_training.adapters.torch_trainer.lora import TARGET_MODULES
from shared.sdmodels import LoraMetadata, base_model_digest, open_model_folder


def ship_adapter(
    model: Path,
    name: str = "common-face",
    *,
    rank: int = 2,
    alpha: float | None = None,
    base: str | None = None,
) -> Path:
    """Write adapters/<name>.safetensors for every attention projection of the model; `base` is its digest."""
    weights = safetensors.numpy.load_file(model / "unet" / "diffusion_pytorch_model.safetensors")
    rng = np.random.default_rng(9)
    tensors = {}
    for key, value in weights.items():
        module = key.removesuffix(".weight")
        if module.endswith(TARGET_MODULES) and value.ndim == 2:
            outer, inner = value.shape
            tensors[f"unet.{module}.lora_A.weight"] = rng.normal(0, 0.3, (rank, inner)).astype(np.float16)
            tensors[f"unet.{module}.lora_B.weight"] = rng.normal(0, 0.3, (outer, rank)).astype(np.float16)
    digest = base or base_model_digest(open_model_folder(model))
    facts = LoraMetadata(digest, rank, float(rank) if alpha is None else alpha)
    file = model / "adapters" / f"{name}.safetensors"
    file.parent.mkdir(exist_ok=True)
    safetensors.numpy.save_file(tensors, file, metadata=facts.to_safetensors())
    return file


def metadata_of(data: bytes) -> dict[str, str]:
    """The metadata of a safetensors file."""
    length = int.from_bytes(data[:8], "little")
    found: dict[str, str] = json.loads(data[8 : 8 + length])["__metadata__"]
    return found
