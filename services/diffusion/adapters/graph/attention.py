"""Attention in plain operations, with identity tokens in cross-attention; exports to few nodes."""

from typing import Any

import torch
from torch.nn.functional import linear

from services.diffusion.adapters.graph.operations import reshape

Tensor = torch.Tensor


class IdentityFeed:
    """Hands the batch's identity tokens [B, n, width] and scales [B] to every cross-attention."""

    def __init__(self) -> None:
        self.current: tuple[Tensor, Tensor] | None = None


class GraphAttention:
    """A diffusers attention processor: softmax(q k^T / sqrt(d)) v, plus scaled attention to identity tokens.

    As IP-Adapter has it (Ye et al., arXiv 2308.06721); `key` and `value` [inner, width] project the tokens.
    """

    def __init__(self, feed: IdentityFeed, key: Tensor | None = None, value: Tensor | None = None) -> None:
        self._feed = feed
        self._key, self._value = key, value

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        """Attended states [B, T, width]."""
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        query = _heads(attn.to_q(hidden_states) * attn.scale, attn.heads)
        attended = _attend(query, attn.to_k(context), attn.to_v(context), attn.heads)
        if self._key is not None and self._value is not None and self._feed.current is not None:
            tokens, scales = self._feed.current
            identity = _attend(query, linear(tokens, self._key), linear(tokens, self._value), attn.heads)
            attended = attended + scales.reshape(-1, 1, 1) * identity
        result: Tensor = attn.to_out[0](attended) / attn.rescale_output_factor
        return result


def _attend(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    scores = torch.matmul(query, _heads(key, heads).transpose(2, 3))
    attended = torch.matmul(torch.softmax(scores, dim=-1), _heads(value, heads))
    return reshape(attended.transpose(1, 2), (0, 0, -1))


def _heads(tokens: Tensor, heads: int) -> Tensor:
    return reshape(tokens, (0, 0, heads, -1)).transpose(1, 2)
