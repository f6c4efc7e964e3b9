"""Weights of words, brought to the tokens of a text encoder and from there to its states.

A weight moves all states of the prompt towards those of the prompt with the word masked (below 1), or away
from them (above 1): 1 changes nothing, 0 is the prompt without the word. This is "comfy++" of BlenderNeko's
ComfyUI_ADV_CLIP_emb (adv_encode.py: down_weight, after compel, and from_masked), but for two things: words
are masked by the end token, and a weight above 1 acts on later states as well.

The better known methods change the states of the weighted tokens alone: ComfyUI moves them away from those
of the empty prompt (comfy/sd1_clip.py, encode_token_weights), AUTOMATIC1111's web UI multiplies them and
scales all states back to their old mean (modules/sd_emphasis.py). CLIP's encoder is causal: what a word says
stands in all later states too, those of the padding among them. With the starter pack, whose UNet reads them
there, ComfyUI's method left a picture as it was whatever a colour weighed.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.emphasis import Span, plain

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]

# A tokenizer of fewer tokens was made of the words of its model's own captions, each of them one token: any
# other word is in pieces. A large one has seen everything, and its pieces mean something ("cyber", "punk")
# unless they are hardly more than letters.
_OWN_WORDS = 10_000
_LETTERS_PER_PIECE = 2


def token_weights(tokenizer: Any, spans: Sequence[Span], token_count: int) -> Array | None:
    """The weight of each token, float32 [token_count], or None where all are 1.

    The words are split into tokens as a whole, so that a weight never changes what the tokens are; a token
    has the weight of its first letter. Markers and padding have 1.
    """
    if all(span.weight == 1 for span in spans):
        return None
    ends = np.array([0, *accumulate(len(span.text) for span in spans)])
    weights = np.ones(token_count, np.float32)
    offsets = tokenizer(plain(spans), truncation=False, return_offsets_mapping=True)["offset_mapping"]
    for position, (start, end) in enumerate(offsets):
        if end > start:
            weights[position] = spans[int(np.searchsorted(ends, start, side="right")) - 1].weight
    return weights


def masked_tokens(weights: Array) -> list[Mask]:
    """Which tokens to mask in each variant of a prompt that `mixed` needs, bool [tokens] each.

    One for each weight but 1, in rising order: below 1 the tokens of this weight and of all lower ones, above
    1 those of this weight.
    """
    return [weights <= level if level < 1 else weights == level for level in _levels(weights)]


def mixed(states: Array, weights: Array, masked_states: Sequence[Array]) -> Array:
    """States float32 [tokens, width] after weighting; *masked_states* are those of `masked_tokens`' variants.

    Weights below 1 take the mean of the prompt and its variants, so that they never overshoot; weights above
    1 add what the words contribute once more, times what is above 1.
    """
    levels = _levels(weights)
    below = [level for level in levels if level < 1]
    bounds = np.array([*below, 1], np.float32)
    result = bounds[0] * states
    for share, variant in zip(np.diff(bounds), masked_states, strict=False):
        result += share * variant
    for level, variant in zip(levels[len(below) :], masked_states[len(below) :], strict=True):
        result += np.float32(level - 1) * (states - variant)
    return result


def _levels(weights: Array) -> list[float]:
    return [float(level) for level in np.unique(weights) if level != 1]


def unfamiliar_words(tokenizer: Any, text: str) -> tuple[str, ...]:
    """Words of *text* that the model behind this tokenizer can hardly know, each once, in order."""
    encoded = tokenizer(text, truncation=False, return_offsets_mapping=True)
    pieces: dict[int, list[tuple[int, int]]] = {}
    for word, span in zip(encoded.word_ids(), encoded["offset_mapping"], strict=True):
        if word is not None:
            pieces.setdefault(word, []).append(span)
    split = ((text[spans[0][0] : spans[-1][1]], len(spans)) for spans in pieces.values() if len(spans) > 1)
    has_own_words = len(tokenizer) < _OWN_WORDS
    return tuple(
        dict.fromkeys(
            word
            for word, count in split
            if word.isalpha() and (has_own_words or len(word) < _LETTERS_PER_PIECE * count)
        )
    )
