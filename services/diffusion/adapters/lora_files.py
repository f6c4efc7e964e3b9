"""Reads LoRA files in diffusers, peft and kohya key styles into layers of one model, or says why not."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors

from services.diffusion.adapters.lora_keys import LoraKeys, LoraUnreadable
from services.diffusion.adapters.lora_scale import LoraScale
from services.diffusion.domain.adapters import LoraLayer
from shared.sdmodels import LoraMetadata

__all__ = ["LoraRules", "LoraUnreadable", "read_lora"]

Array = NDArray[np.float32]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class LoraRules:
    """What a model accepts: weight shapes by layer path, the digest of its UNet, the largest rank."""

    layer_shapes: Mapping[str, Shape]
    base_model_sha256: str
    max_rank: int

    @cached_property
    def keys(self) -> LoraKeys:
        """The reader of tensor names for these layers."""
        return LoraKeys(self.layer_shapes)


def read_lora(data: bytes, rules: LoraRules) -> dict[str, LoraLayer]:
    """Layers of a safetensors LoRA by path, alpha / rank folded into `up`.

    Raises: LoraUnreadable on anything that cannot be applied as it is: nothing is skipped silently.
    """
    try:
        # Through torch, as numpy has no bfloat16.
        tensors = {key: tensor.float().numpy() for key, tensor in load_tensors(data).items()}
        metadata = _metadata(data)
        base = LoraMetadata.from_safetensors(metadata).base_model_sha256
        scale = LoraScale(metadata)
    except (SafetensorError, ValueError, KeyError) as error:
        raise LoraUnreadable("it is not a readable safetensors file") from error
    if base and base != rules.base_model_sha256:
        raise LoraUnreadable(f"it was trained on another base model ({base[:12]}…)")
    parts: dict[str, dict[str, Array]] = {}
    for key, tensor in tensors.items():
        path, part = rules.keys.split(key)
        if part in parts.setdefault(path, {}):
            raise LoraUnreadable(f"{key} is there twice, in two key styles")
        parts[path][part] = tensor
    if not parts:
        raise LoraUnreadable("it holds no layers")
    return {path: _layer(path, found, rules, scale) for path, found in parts.items()}


def _layer(path: str, parts: Mapping[str, Array], rules: LoraRules, scale: LoraScale) -> LoraLayer:
    shape = rules.layer_shapes.get(path)
    if shape is None:
        raise LoraUnreadable(f"the model has no layer {path}")
    if "down" not in parts or "up" not in parts:
        raise LoraUnreadable(f"{path} has only one of its two matrices")
    down, up = parts["down"], parts["up"]
    rank = int(down.shape[0]) if down.ndim > 1 else 0
    if rank > rules.max_rank:
        raise LoraUnreadable(f"rank {rank} of {path} is over the limit {rules.max_rank}")
    if not rank or down.size != rank * int(np.prod(shape[1:])) or up.size != shape[0] * rank:
        matrices = f"the matrices are {_size(up.shape)} and {_size(down.shape)}"
        raise LoraUnreadable(f"{path} is {_size(shape)} in the model, {matrices}")
    tensor_alpha = float(parts["alpha"].reshape(-1)[0]) if "alpha" in parts else None
    factor = scale.of(path, rank, tensor_alpha)
    if not (np.isfinite(down).all() and np.isfinite(up).all() and np.isfinite(factor)):
        raise LoraUnreadable(f"{path} holds values that are not finite")
    # Matrices for 1x1 convolutions come as 2-D or 4-D; from here on they have the layer's own shape.
    ones = (1,) * (len(shape) - 2)
    # Copies: a view would keep the whole file in memory, twice for a file of half precision.
    return LoraLayer(
        np.array(down, dtype=np.float32, order="C").reshape(rank, *shape[1:]),
        np.multiply(up, np.float32(factor), dtype=np.float32, order="C").reshape(shape[0], rank, *ones),
    )


def _metadata(data: bytes) -> dict[str, str]:
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    metadata: dict[str, str] = header.get("__metadata__", {})
    return metadata


def _size(shape: Shape) -> str:
    return "x".join(map(str, shape))
