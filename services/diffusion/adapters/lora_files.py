"""Reads LoRA files in diffusers, peft and kohya key styles into layers of one model, or says why not."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors

from services.diffusion.domain.adapters import LoraLayer
from shared.sdmodels import LoraMetadata

Array = NDArray[np.float32]
Shape = tuple[int, ...]

# Endings of the tensor names: peft, peft with an adapter name, diffusers, kohya.
_PARTS = {
    "lora_A.weight": "down",
    "lora_A.default.weight": "down",
    "lora.down.weight": "down",
    "lora_linear_layer.down.weight": "down",
    "down.weight": "down",
    "lora_down.weight": "down",
    "lora_B.weight": "up",
    "lora_B.default.weight": "up",
    "lora.up.weight": "up",
    "lora_linear_layer.up.weight": "up",
    "up.weight": "up",
    "lora_up.weight": "up",
    "alpha": "alpha",
}
_KOHYA = {
    "lora_unet_": "unet",
    "lora_te_": "text_encoder",
    "lora_te1_": "text_encoder",
    "lora_te2_": "text_encoder_2",
}
_COMPONENTS = ("unet", "text_encoder", "text_encoder_2")


class LoraUnreadable(Exception):
    """The file is no LoRA for this model; the text is the public cause, without a full stop."""


@dataclass(frozen=True)
class LoraRules:
    """What a model accepts: weight shapes by layer path, the digest of its UNet, the largest rank."""

    layer_shapes: Mapping[str, Shape]
    base_model_sha256: str
    max_rank: int


def read_lora(data: bytes, rules: LoraRules) -> dict[str, LoraLayer]:
    """Layers of a safetensors LoRA by path, alpha / rank folded into `up`.

    Raises: LoraUnreadable on anything that cannot be applied as it is: nothing is skipped silently.
    """
    try:
        # Through torch, as numpy has no bfloat16.
        tensors = {key: tensor.float().numpy() for key, tensor in load_tensors(data).items()}
        header = _header_metadata(data)
        metadata = LoraMetadata.from_safetensors(header)
    except (SafetensorError, ValueError, KeyError) as error:
        raise LoraUnreadable("it is not a readable safetensors file") from error
    base = metadata.base_model_sha256
    if base and base != rules.base_model_sha256:
        raise LoraUnreadable(f"it was trained on another base model ({base[:12]}…)")
    names = _KohyaNames(rules.layer_shapes)
    parts: dict[str, dict[str, Array]] = {}
    for key, tensor in tensors.items():
        path, part = _split(key, names)
        parts.setdefault(path, {})[part] = tensor
    if not parts:
        raise LoraUnreadable("it holds no layers")
    alpha = metadata.alpha if metadata.alpha is not None else _diffusers_alpha(header)
    return {path: _layer(path, found, rules, alpha) for path, found in parts.items()}


def _split(key: str, names: "_KohyaNames") -> tuple[str, str]:
    """Layer path with its component, and which part of the update the tensor is."""
    suffix = next((suffix for suffix in _PARTS if key.endswith(f".{suffix}")), None)
    if suffix is None:
        raise LoraUnreadable(f"{key} is no LoRA matrix (DoRA, LoHa and LoKr are not supported)")
    path = key.removesuffix(f".{suffix}")
    for prefix, component in _KOHYA.items():
        if path.startswith(prefix):
            return names.path(component, path.removeprefix(prefix)), _PARTS[suffix]
    path = path.removeprefix("base_model.model.")
    if not path.startswith(tuple(f"{component}." for component in _COMPONENTS)):
        path = f"unet.{path}"
    # transformers 5 dropped the level "text_model" from the names of CLIP's modules.
    path = path.replace("text_encoder.text_model.", "text_encoder.").replace(
        "text_encoder_2.text_model.", "text_encoder_2."
    )
    # diffusers' first key style: ...attn1.processor.to_q_lora.down.weight
    path = re.sub(r"\.processor\.(to_[qkv])_lora$", r".\1", path)
    path = re.sub(r"\.processor\.to_out_lora$", ".to_out.0", path)
    return path, _PARTS[suffix]


def _layer(path: str, parts: Mapping[str, Array], rules: LoraRules, file_alpha: float | None) -> LoraLayer:
    shape = rules.layer_shapes.get(path)
    if shape is None:
        raise LoraUnreadable(f"the model has no layer {path}")
    if "down" not in parts or "up" not in parts:
        raise LoraUnreadable(f"{path} has only one of its two matrices")
    down, up = (np.ascontiguousarray(parts[part], dtype=np.float32) for part in ("down", "up"))
    rank = int(down.shape[0])
    if rank > rules.max_rank:
        raise LoraUnreadable(f"rank {rank} of {path} is over the limit {rules.max_rank}")
    if down.size != rank * int(np.prod(shape[1:])) or up.size != shape[0] * rank:
        matrices = f"the matrices are {_size(up.shape)} and {_size(down.shape)}"
        raise LoraUnreadable(f"{path} is {_size(shape)} in the model, {matrices}")
    if not (np.isfinite(down).all() and np.isfinite(up).all()):
        raise LoraUnreadable(f"{path} holds values that are not finite")
    alpha = float(parts["alpha"]) if "alpha" in parts else file_alpha
    scale = 1.0 if alpha is None else alpha / rank
    # Matrices for 1x1 convolutions come as 2-D or 4-D; from here on they have the layer's own shape.
    ones = (1,) * (len(shape) - 2)
    return LoraLayer(down.reshape(rank, *shape[1:]), up.reshape(shape[0], rank, *ones) * np.float32(scale))


class _KohyaNames:
    """kohya writes dots as underscores; only the model's own layer names tell them apart."""

    def __init__(self, layer_shapes: Mapping[str, Shape]) -> None:
        self._paths = {path.replace(".", "_"): path for path in layer_shapes}

    def path(self, component: str, flat: str) -> str:
        flat = flat.removeprefix("text_model_") if component != "unet" else flat
        return self._paths.get(f"{component}_{flat}", f"{component}.{flat}")


def _diffusers_alpha(header: Mapping[str, str]) -> float | None:
    """lora_alpha of the UNet in the configuration that diffusers stores; None if there is none."""
    stored = json.loads(header.get("lora_adapter_metadata", "{}"))
    if any(value for key, value in stored.items() if key.endswith("alpha_pattern")):
        raise LoraUnreadable("an alpha for each layer (alpha_pattern) is not supported")
    alpha = stored.get("unet.lora_alpha", stored.get("lora_alpha"))
    return None if alpha is None else float(alpha)


def _header_metadata(data: bytes) -> dict[str, str]:
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    metadata: dict[str, str] = header.get("__metadata__", {})
    return metadata


def _size(shape: Shape) -> str:
    return "x".join(map(str, shape))
