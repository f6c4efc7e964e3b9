"""Identity conditioning in the form of IP-Adapter FaceID: 128-D embedding -> 4 tokens -> own attention.

The UNet is trained through the same diffusers code that later loads the adapter file.
"""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import IPAdapterAttnProcessor2_0
from safetensors.torch import load_file
from torch import Tensor, nn

EMBEDDING_DIM = 128
TOKENS = 4
_HIDDEN = 512
_RENAMES = {"ff.net.0.proj.": "proj.0.", "ff.net.2.": "proj.2.", "norm.": "norm."}


def _processors(unet: UNet2DConditionModel) -> list[IPAdapterAttnProcessor2_0]:
    found = unet.attn_processors.values()
    return [processor for processor in found if isinstance(processor, IPAdapterAttnProcessor2_0)]


def attach_identity(unet: UNet2DConditionModel, population: Tensor) -> None:
    """Give `unet` untrained identity layers.

    `population` (N, 128) are embeddings of many people: what they share is taken out and what
    differs is brought to unit scale in the first layer, since dlib's embeddings lie close together.
    """
    width = int(unet.config.cross_attention_dim)
    first = nn.Linear(EMBEDDING_DIM, _HIDDEN)
    with torch.no_grad():
        first.weight.div_(population.std(0).mean())
        first.bias.sub_(first.weight @ population.mean(0))
    second, norm = nn.Linear(_HIDDEN, TOKENS * width), nn.LayerNorm(width)
    state = {f"proj.{i}.{k}": v for i, m in ((0, first), (2, second)) for k, v in m.state_dict().items()}
    state |= {f"norm.{k}": v for k, v in norm.state_dict().items()}
    adapter: dict[str, Tensor] = {}
    for number, name in enumerate(n for n in unet.attn_processors if n.endswith("attn2.processor")):
        attention = unet.get_submodule(name.removesuffix(".processor"))
        for kind in ("k", "v"):
            layer = nn.Linear(width, attention.inner_dim, bias=False)
            adapter[f"{2 * number + 1}.to_{kind}_ip.weight"] = layer.weight.detach()
    unet._load_ip_adapter_weights([{"image_proj": state, "ip_adapter": adapter}], low_cpu_mem_usage=False)
    unet.requires_grad_(True)


def load_identity(unet: UNet2DConditionModel, file: Path) -> None:
    """Give `unet` the identity layers of an IP-Adapter FaceID safetensors file."""
    parts: dict[str, dict[str, Tensor]] = {"image_proj": {}, "ip_adapter": {}}
    for key, value in load_file(file).items():
        part, name = key.split(".", 1)
        parts[part][name] = value.float()
    unet._load_ip_adapter_weights([parts], low_cpu_mem_usage=False)


def set_identity_scale(unet: UNet2DConditionModel, scale: float) -> None:
    """Strength of the identity; 0 makes the UNet act as if no adapter were loaded."""
    for processor in _processors(unet):
        processor.scale = [scale]


def identity_state(unet: UNet2DConditionModel) -> dict[str, Tensor]:
    """The identity layers of `unet` under the keys of an IP-Adapter FaceID file."""
    tensors: dict[str, Tensor] = {}
    for name, value in unet.encoder_hid_proj.image_projection_layers[0].state_dict().items():
        prefix = next(old for old in _RENAMES if name.startswith(old))
        tensors[f"image_proj.{_RENAMES[prefix]}{name.removeprefix(prefix)}"] = value
    for number, processor in enumerate(_processors(unet)):
        for kind in ("k", "v"):
            weight = getattr(processor, f"to_{kind}_ip")[0].weight
            tensors[f"ip_adapter.{2 * number + 1}.to_{kind}_ip.weight"] = weight.detach()
    return tensors


def is_identity_key(name: str) -> bool:
    """Whether a key of the UNet's state belongs to the identity layers."""
    return name.startswith("encoder_hid_proj.") or "_ip." in name
