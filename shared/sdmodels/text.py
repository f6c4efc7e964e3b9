"""Prompts to token ids to text-encoder states, with a hard limit instead of silent truncation."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shared.sdmodels.errors import TooManyTokens

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def count_tokens(tokenizer: "PreTrainedTokenizerBase", prompt: str) -> int:
    """Tokens of *prompt*, begin and end markers included."""
    return len(tokenizer(prompt, truncation=False).input_ids)


def tokenize(tokenizer: "PreTrainedTokenizerBase", prompts: Sequence[str]) -> "torch.Tensor":
    """Token ids int64 [len(prompts), model_max_length], padded as Stable Diffusion pads.

    Raises: TooManyTokens if one prompt is over the tokenizer's model_max_length, markers included.
    """
    limit = int(tokenizer.model_max_length)
    for prompt in prompts:
        token_count = count_tokens(tokenizer, prompt)
        if token_count > limit:
            raise TooManyTokens(token_count, limit)
    batch = tokenizer(list(prompts), padding="max_length", max_length=limit, return_tensors="pt")
    ids: torch.Tensor = batch.input_ids
    return ids


def encode_prompts(
    tokenizer: "PreTrainedTokenizerBase", encoder: "PreTrainedModel", prompts: Sequence[str]
) -> "torch.Tensor":
    """Last hidden states [len(prompts), tokens, width] of a CLIP text encoder, as diffusers' SD pipeline.

    Raises: TooManyTokens.
    """
    import torch

    ids = tokenize(tokenizer, prompts)
    with torch.no_grad():
        states: torch.Tensor = encoder(ids.to(encoder.device))[0]
    return states
