"""The text side: a byte-pair tokenizer of the captions' words and a tiny CLIP text encoder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

MAX_TOKENS = 64
WIDTH = 192
_START, _END = "<|startoftext|>", "<|endoftext|>"


def _learn_merges(corpus: Sequence[str], size: int) -> list[tuple[str, str]]:
    """Merge rules that make every word of `corpus` one token, in CLIP's form of the algorithm."""
    learner = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    pattern = r"[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    learner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=size, min_frequency=1, end_of_word_suffix="</w>", show_progress=False
    )
    learner.train_from_iterator(corpus, trainer)
    merges = json.loads(learner.to_str())["model"]["merges"]
    return [(first, second) for first, second in merges]


def build_tokenizer(corpus: Sequence[str], size: int = 1600) -> CLIPTokenizer:
    """A CLIP tokenizer whose vocabulary is all bytes plus the words of `corpus`.

    A word that is not in `corpus` falls apart into bytes; nothing becomes an unknown token.
    """
    merges = _learn_merges(corpus, size)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*alphabet, *(f"{letter}</w>" for letter in alphabet)]
    tokens += list(dict.fromkeys(first + second for first, second in merges))
    vocabulary = {token: number for number, token in enumerate([*dict.fromkeys(tokens), _START, _END])}
    with TemporaryDirectory() as folder:
        Path(folder, "vocab.json").write_text(json.dumps(vocabulary))
        lines = ["#version: 0.2", *(f"{first} {second}" for first, second in merges)]
        Path(folder, "merges.txt").write_text("\n".join(lines) + "\n")
        tokenizer: CLIPTokenizer = CLIPTokenizer.from_pretrained(folder, model_max_length=MAX_TOKENS)
    return tokenizer


def build_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """An untrained text encoder (3 layers, width 192) for `tokenizer`."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=WIDTH,
            intermediate_size=4 * WIDTH,
            projection_dim=WIDTH,
            num_hidden_layers=3,
            num_attention_heads=6,
            max_position_embeddings=MAX_TOKENS,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
