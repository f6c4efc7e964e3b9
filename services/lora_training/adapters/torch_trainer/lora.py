"""LoRA matrices on a frozen UNet: attach, read, write in the format that diffusers and peft read."""

from __future__ import annotations

import json
from typing import Final

import safetensors.torch
import torch
from diffusers import UNet2DConditionModel
from peft import LoraConfig

from shared.sdmodels import LoraMetadata, canonical

TARGET_MODULES: Final = ("to_q", "to_k", "to_v", "to_out.0")
_ADAPTER: Final = "default"

Weights = dict[str, torch.Tensor]


def attach_lora(
    unet: UNet2DConditionModel, rank: int, alpha: float, seed: int
) -> dict[str, torch.nn.Parameter]:
    """Add trainable float32 LoRA pairs to every attention projection and return them by file key, sorted.

    Keys read "unet.<module>.lora_A.weight". A is drawn from N(0, 1/rank) by `seed`, B is zero, so the network
    computes at first what it computed before. The base parameters stay frozen.
    """
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        target_modules=list(TARGET_MODULES),
        init_lora_weights=False,
        lora_dropout=0.0,
    )
    unet.add_adapter(config, adapter_name=_ADAPTER)
    found = {_file_key(name): p for name, p in unet.named_parameters() if ".lora_" in name}
    parameters = dict(sorted(found.items()))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, parameter in parameters.items():
            parameter.data = parameter.data.float()
            if ".lora_A." in key:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) / rank**0.5)
            else:
                parameter.zero_()
            parameter.requires_grad_(True)
    return parameters


def _file_key(parameter_name: str) -> str:
    return f"unet.{parameter_name.replace(f'.{_ADAPTER}.', '.')}"


def adapter_bytes(weights: Weights, facts: LoraMetadata, notes: dict[str, str]) -> bytes:
    """Serialise an adapter; equal input gives equal bytes.

    The metadata carries `facts`, `notes`, and peft's own configuration under "lora_adapter_metadata", from
    which diffusers' `load_lora_weights` takes alpha.
    """
    peft_config = {
        "unet.r": facts.rank,
        "unet.lora_alpha": facts.alpha,
        "unet.target_modules": sorted(TARGET_MODULES),
        "unet.lora_dropout": 0.0,
        "unet.peft_type": "LORA",
    }
    metadata = {
        "format": "pt",
        "lora_adapter_metadata": json.dumps(peft_config, sort_keys=True),
        **facts.to_safetensors(),
        **notes,
    }
    tensors = {key: weights[key].detach().cpu().contiguous() for key in sorted(weights)}
    return canonical(safetensors.torch.save(tensors, metadata=metadata))
