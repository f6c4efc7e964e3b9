"""IP-Adapter FaceID (Ye et al., arXiv 2308.06721): identity tokens in cross-attention, scaled per row."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from torch.nn.functional import gelu, layer_norm, linear, scaled_dot_product_attention

from services.diffusion.domain.rows import IdentityCondition
from shared.sdmodels import ModelUnsupported

Array = NDArray[np.float32]
Tensors = Mapping[str, torch.Tensor]


def read_ip_adapter(file: Path) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Tensors of the projection and of the attentions, float32, without their prefixes.

    Raises:
        ModelUnsupported: The file is not of the plain FaceID kind (two-layer projection, no LoRA in it).
    """
    with safe_open(file, framework="pt") as stored:
        tensors = {key: stored.get_tensor(key).float() for key in stored.keys()}  # noqa: SIM118 - no iterator
    projection = _under("image_proj.", tensors)
    attention = _under("ip_adapter.", tensors)
    if not {"proj.0.weight", "proj.2.weight", "norm.weight"} <= set(projection):
        raise ModelUnsupported(file, "only plain FaceID projections (proj.0, proj.2, norm) are supported")
    if any("_lora." in key for key in attention):
        raise ModelUnsupported(file, "it carries LoRA layers; extract them into an adapter of their own")
    return projection, attention


class FaceIdProjection:
    """Turns a face embedding into identity tokens: Linear, GELU, Linear, LayerNorm per token."""

    def __init__(self, projection: Tensors) -> None:
        self._weights = projection

    @property
    def dimension(self) -> int:
        """Components of an embedding."""
        return int(self._weights["proj.0.weight"].shape[1])

    def encode(self, embedding: Array, scale: float) -> tuple[IdentityCondition, IdentityCondition]:
        """Conditions for prompted rows, and for unguided rows: the tokens of an all-zero embedding."""
        prompted = IdentityCondition(self._tokens(embedding), scale)
        return prompted, IdentityCondition(self._tokens(np.zeros_like(embedding)), scale)

    @torch.inference_mode()
    def _tokens(self, embedding: Array) -> Array:
        weights = self._weights
        hidden = linear(torch.from_numpy(embedding), weights["proj.0.weight"], weights["proj.0.bias"])
        flat = linear(gelu(hidden), weights["proj.2.weight"], weights["proj.2.bias"])
        tokens = flat.reshape(-1, weights["norm.weight"].shape[0])
        normed = layer_norm(tokens, tokens.shape[-1:], weights["norm.weight"], weights["norm.bias"])
        result: Array = normed.numpy()
        return result


class IdentityAttention:
    """Installs identity attention in a UNet and feeds it each batch's tokens. Not thread-safe."""

    def __init__(self, unet: Any, attention: Tensors) -> None:
        self.current: tuple[torch.Tensor, torch.Tensor] | None = None
        processors = dict(unet.attn_processors)
        crossing = [name for name in processors if name.endswith("attn2.processor")]
        weight = next(unet.parameters())
        # The files number all attentions in the UNet's order; the cross-attentions have the odd numbers.
        for number, name in zip(range(1, 2 * len(crossing), 2), crossing, strict=True):
            key, value = (attention[f"{number}.to_{part}_ip.weight"].to(weight) for part in ("k", "v"))
            processors[name] = _IdentityProcessor(self, key, value)
        unet.set_attn_processor(processors)

    @contextmanager
    def applied(self, identities: tuple[Array, Array] | None, like: torch.Tensor) -> Iterator[None]:
        """Within this context sample i attends to tokens[i] with strength scales[i]; None switches it off."""
        if identities is not None:
            tokens, scales = (torch.from_numpy(part).to(like) for part in identities)
            self.current = tokens, scales.reshape(-1, 1, 1)
        try:
            yield
        finally:
            self.current = None


class _IdentityProcessor:
    """Cross-attention to the text plus, scaled per row, to the identity tokens."""

    def __init__(self, identity: IdentityAttention, key: torch.Tensor, value: torch.Tensor) -> None:
        self._identity = identity
        self._key = key
        self._value = value

    def __call__(
        self,
        attn: Any,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        temb: torch.Tensor | None = None,
    ) -> torch.Tensor:
        query = _heads(attn.to_q(hidden_states), attn.heads)
        key = _heads(attn.to_k(encoder_hidden_states), attn.heads)
        value = _heads(attn.to_v(encoder_hidden_states), attn.heads)
        attended = _flat(scaled_dot_product_attention(query, key, value, attn_mask=attention_mask))
        if self._identity.current is not None:
            tokens, scales = self._identity.current
            key = _heads(linear(tokens, self._key), attn.heads)
            value = _heads(linear(tokens, self._value), attn.heads)
            attended = attended + scales * _flat(scaled_dot_product_attention(query, key, value))
        result: torch.Tensor = attn.to_out[0](attended) / attn.rescale_output_factor
        return result


def _heads(tokens: torch.Tensor, heads: int) -> torch.Tensor:
    rows, count, _ = tokens.shape
    return tokens.view(rows, count, heads, -1).transpose(1, 2)


def _flat(heads: torch.Tensor) -> torch.Tensor:
    return heads.transpose(1, 2).flatten(2)


def _under(prefix: str, tensors: Tensors) -> dict[str, torch.Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
