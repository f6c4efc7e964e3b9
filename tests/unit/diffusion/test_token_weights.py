"""Weighted words: which tokens get which weight, and what becomes of the encoder's states."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from services.diffusion.adapters.clip_text import ClipText, XlText
from services.diffusion.adapters.token_weights import masked_tokens, mixed, token_weights, unfamiliar_words
from services.diffusion.domain.rows import Prompt, TextCondition
from shared.emphasis import parse
from shared.sdmodels import (
    encode_prompts,
    load_text_encoder,
    load_tokenizer,
    open_model_folder,
    tokenize,
)
from tests.support.tiny_sd import TinySd, make_tiny_sd

_SIZE = (64, 64)


@pytest.fixture(scope="module", params=["sd", "sdxl"])
def text(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ClipText | XlText:
    path = tmp_path_factory.mktemp("text") / "tiny"
    folder = open_model_folder(make_tiny_sd(path, TinySd(xl=request.param == "sdxl", token_limit=24)))
    first = ClipText(load_tokenizer(folder), load_text_encoder(folder))
    if request.param == "sd":
        return first
    second = load_text_encoder(folder, "text_encoder_2")
    tokenizer = load_tokenizer(folder, "tokenizer_2")
    return XlText(first, ClipText(tokenizer, second, "text_encoder_2"), zeros_for_empty=True)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory):
    folder = open_model_folder(make_tiny_sd(tmp_path_factory.mktemp("tokens") / "tiny"))
    return load_tokenizer(folder)


def encoded(text: ClipText | XlText, *prompts: str) -> list[TextCondition]:
    return text.encode([Prompt("prompt", prompt, _SIZE) for prompt in prompts], ())


def changed(one: TextCondition, other: TextCondition) -> list[int]:
    """Positions of the tokens whose states differ."""
    return list(np.flatnonzero((one.context != other.context).any(axis=1)))


def test_a_prompt_without_weights_has_the_bits_that_the_encoder_alone_gives(tmp_path: Path) -> None:
    folder = open_model_folder(make_tiny_sd(tmp_path / "tiny"))
    tokenizer, encoder = load_tokenizer(folder), load_text_encoder(folder)
    bare = encode_prompts(tokenizer, encoder, ["a face :)"])[0].numpy()

    [ours] = encoded(ClipText(tokenizer, encoder), "a face :)")

    np.testing.assert_array_equal(ours.context, bare)


def test_a_weight_moves_the_prompt_along_the_line_through_the_masked_one(text: ClipText | XlText) -> None:
    [plain, masked] = encoded(text, "a b c", "a (b:0) c")
    [half, strong] = encoded(text, "a (b:0.5) c", "a (b:1.5) c")

    apart = plain.context - masked.context
    np.testing.assert_allclose(half.context, masked.context + 0.5 * apart, atol=1e-5)
    np.testing.assert_allclose(strong.context, plain.context + 0.5 * apart, atol=1e-5)
    assert set(changed(plain, strong)) == set(range(2, len(plain.context))), "b and all that comes after"
    if plain.pooled is not None:
        np.testing.assert_array_equal(strong.pooled, plain.pooled)


def test_weight_zero_is_the_prompt_with_the_word_masked(tmp_path: Path) -> None:
    folder = open_model_folder(make_tiny_sd(tmp_path / "tiny"))
    tokenizer, encoder = load_tokenizer(folder), load_text_encoder(folder)
    ids = tokenize(tokenizer, ["a b c"])
    ids[0, [1, 3]] = tokenizer.eos_token_id
    with torch.inference_mode():
        expected = encoder(ids).last_hidden_state[0].numpy()

    [both] = encoded(ClipText(tokenizer, encoder), "(a:0) b (c:0)")

    np.testing.assert_allclose(both.context, expected, atol=1e-5)


def test_weights_below_one_mix_nested_masks_and_never_overshoot() -> None:
    weights = np.array([1, 0.25, 0.75, 0.25, 1, 1.5], np.float32)
    masks = masked_tokens(weights)
    assert [list(np.flatnonzero(mask)) for mask in masks] == [[1, 3], [1, 2, 3], [5]]

    states, low, both, high = (np.full((6, 2), value, np.float32) for value in (8, 4, 2, 7))
    result = mixed(states, weights, [low, both, high])
    np.testing.assert_allclose(result, 0.25 * 8 + 0.5 * 4 + 0.25 * 2 + 0.5 * (8 - 7))


@given(st.lists(st.sampled_from([0.0, 0.3, 0.6, 1.0]), min_size=2, max_size=6))
def test_lowering_weights_stays_between_the_prompt_and_its_masks(levels: list[float]) -> None:
    weights = np.array(levels, np.float32)
    random = np.random.default_rng(0)
    states, *masked = random.standard_normal((1 + len(masked_tokens(weights)), len(levels), 3), np.float32)

    result = mixed(states, weights, masked)

    everything = np.stack([states, *masked])
    assert (result <= everything.max(axis=0) + 1e-6).all()
    assert (result >= everything.min(axis=0) - 1e-6).all()


def test_an_empty_negative_prompt_in_brackets_is_empty(tmp_path: Path) -> None:
    folder = open_model_folder(make_tiny_sd(tmp_path / "tiny", TinySd(xl=True)))
    first = ClipText(load_tokenizer(folder), load_text_encoder(folder))
    second = ClipText(
        load_tokenizer(folder, "tokenizer_2"), load_text_encoder(folder, "text_encoder_2"), "text_encoder_2"
    )
    [condition] = XlText(first, second, zeros_for_empty=True).encode(
        [Prompt("negative_prompt", "()", _SIZE)], ()
    )

    assert not condition.context.any()


@settings(max_examples=30)
@given(st.text("ab c,é", min_size=1, max_size=8), st.sampled_from([0.5, 1.5]))
def test_every_token_of_a_weighted_text_gets_its_weight(tokenizer, words: str, weight: float) -> None:
    prompt = parse(f"({words}:{weight})")
    count = len(tokenizer(words).input_ids)

    weights = token_weights(tokenizer, prompt, 48)

    assert weights is not None
    np.testing.assert_array_equal(weights[1 : count - 1], np.float32(weight))
    assert weights[0] == 1 and (weights[count - 1 :] == 1).all(), "markers and padding"


class Pieces(dict[str, Any]):
    """A tokenizer that cuts words into pieces of a fixed length, and its own answer at once."""

    def __init__(self, length: int, token_count: int) -> None:
        super().__init__(offset_mapping=[])
        self._length, self._token_count = length, token_count
        self._words: list[int] = []

    def __len__(self) -> int:
        return self._token_count

    def __call__(self, text: str, **_: object) -> "Pieces":
        for number, word in enumerate(re.finditer(r"\S+", text)):
            for start in range(word.start(), word.end(), self._length):
                self._words.append(number)
                self["offset_mapping"].append((start, min(start + self._length, word.end())))
        return self

    def word_ids(self) -> list[int]:
        return self._words


@pytest.mark.parametrize(
    ("length", "token_count", "expected"),
    [(20, 1600, ()), (3, 1600, ("cyberpunk",)), (3, 49408, ()), (1, 49408, ("cyberpunk", "cat"))],
)
def test_pieces_mean_something_to_a_large_tokenizer_unless_they_are_letters(length, token_count, expected):
    assert unfamiliar_words(Pieces(length, token_count), "cyberpunk cat 123") == expected


def test_words_that_fall_apart_are_named_once_and_in_order() -> None:
    tokenizer = load_tokenizer(open_model_folder(Path("starter/weights")))
    text = "portrait of a woman, zzyzx armour, blue eyes, zzyzx, 猫, middle-aged, 42, glasses"

    assert unfamiliar_words(tokenizer, text) == ("zzyzx", "armour", "猫")
    assert unfamiliar_words(tokenizer, "") == ()
