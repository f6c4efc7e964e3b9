"""A UNet2DConditionModel rebuilt for export: identity, adapters and SDXL's extras are inputs too."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from services.diffusion.adapters.graph.attention import GraphAttention, IdentityFeed
from services.diffusion.adapters.graph.layers import LoraConv, LoraFeed, LoraLinear
from services.diffusion.adapters.graph.sidecar import ATTENTION, FEEDFORWARD, GROUPS, RESIDUAL
from services.diffusion.adapters.ip_adapter import Tensors
from services.diffusion.adapters.packed_lora import LoraLayout, PackedLayer

Tensor = torch.Tensor

_ATTENTION_ENDS = ("to_q", "to_k", "to_v", "to_out.0")


class GraphUNet(nn.Module):
    """Takes over *unet* (its layers are replaced in place) and evaluates it as the exported graph does.

    `forward` takes `input_names` in their order; shapes are in the package's README section "The graph".
    """

    def __init__(self, unet: Any, ip_attention: Tensors | None = None) -> None:
        super().__init__()
        self.layout = lora_layout(unet)
        self._identity = IdentityFeed() if ip_attention is not None else None
        self._lora = LoraFeed(self.layout.layers)
        self._takes_pooled = unet.config.addition_embed_type == "text_time"
        _set_attention(unet, ip_attention, self._identity or IdentityFeed())
        for layer in self.layout.layers:
            base = unet.get_submodule(layer.path)
            kind = LoraLinear if layer.kind == "linear" else LoraConv
            unet.set_submodule(layer.path, kind(base, layer, self._lora))
        self.unet = unet

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the graph's inputs."""
        pooled = ("pooled", "size_ids") if self._takes_pooled else ()
        identity = ("identity_tokens", "identity_scales") if self._identity else ()
        return ("latents", "timesteps", "context", *pooled, *identity, *self.layout.widths)

    def forward(self, *given: Tensor) -> Tensor:
        """Predictions [B, C, h, w]."""
        named = dict(zip(self.input_names, given, strict=True))
        self._lora.load({group: named[group] for group in self.layout.widths})
        if self._identity:
            self._identity.current = named["identity_tokens"], named["identity_scales"]
        added = (
            {"text_embeds": named["pooled"], "time_ids": named["size_ids"]} if self._takes_pooled else None
        )
        prediction: Tensor = self.unet(
            named["latents"],
            named["timesteps"],
            named["context"],
            added_cond_kwargs=added,
            return_dict=False,
        )[0]
        return prediction


def lora_layout(unet: nn.Module) -> LoraLayout:
    """Columns for every Linear and Conv2d of the UNet, so that no adapter of the model is refused."""
    layers: dict[str, list[PackedLayer]] = {group: [] for group in GROUPS}
    for path, module in unet.named_modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            members = layers[_group(path)]
            members.append(_packed_layer(path, module, members))
    return LoraLayout([layer for group in GROUPS for layer in layers[group]])


def _packed_layer(path: str, module: nn.Linear | nn.Conv2d, before: Sequence[PackedLayer]) -> PackedLayer:
    offset = before[-1].offset + before[-1].width if before else 0
    out_size, in_size = int(module.weight.shape[0]), int(module.weight.shape[1])
    if isinstance(module, nn.Linear):
        return PackedLayer(path, _group(path), "linear", in_size, out_size, (1, 1), (1, 1), (0, 0), offset)
    kernel, stride, padding = (_pair(getattr(module, key)) for key in ("kernel_size", "stride", "padding"))
    return PackedLayer(path, _group(path), "conv", in_size, out_size, kernel, stride, padding, offset)


def _pair(value: Any) -> tuple[int, int]:
    first, second = value
    return int(first), int(second)


def _group(path: str) -> str:
    if path.endswith(_ATTENTION_ENDS):
        return ATTENTION
    return FEEDFORWARD if ".attentions." in path else RESIDUAL


def _set_attention(unet: Any, ip_attention: Tensors | None, feed: IdentityFeed) -> None:
    processors: dict[str, GraphAttention] = {}
    crossing = 0
    for name in unet.attn_processors:
        if ip_attention is not None and name.endswith("attn2.processor"):
            # The files number all attentions in the UNet's order; the cross-attentions have the odd numbers.
            number = 2 * crossing + 1
            key, value = (ip_attention[f"{number}.to_{part}_ip.weight"] for part in ("k", "v"))
            processors[name] = GraphAttention(feed, key, value)
            crossing += 1
        else:
            processors[name] = GraphAttention(feed)
    unet.set_attn_processor(processors)
