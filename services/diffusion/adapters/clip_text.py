"""Prompts through the CLIP text encoders of a Stable Diffusion or SDXL folder."""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from services.diffusion.adapters import token_weights
from services.diffusion.adapters.row_lora import RowLora
from services.diffusion.domain.adapters import AdapterMix
from services.diffusion.domain.rows import Prompt, TextCondition
from services.diffusion.errors import PromptTooLong
from shared.sdmodels import TooManyTokens, tokenize

Array = NDArray[np.float32]
_MARKERS = 2  # start and end


class ClipText:
    """One tokenizer and encoder.

    On one torch thread a prompt has the same bits alone and in company (measured up to SDXL's larger
    encoder; the test holds it for small ones). On more threads MKL splits products by their size, which
    costs up to 5e-6: `batch_tolerance` is the promise for any number.
    """

    batch_tolerance = 1e-5

    def __init__(self, tokenizer: Any, encoder: Any, component: str = "text_encoder") -> None:
        self._tokenizer = tokenizer
        self._encoder = encoder
        self._lora = RowLora(encoder, component)
        if isinstance(projection := getattr(encoder, "text_projection", None), torch.nn.Linear):
            projection.forward = partial(_row_by_row, projection)  # type: ignore[method-assign]

    @property
    def layer_shapes(self) -> dict[str, tuple[int, ...]]:
        """Weight shapes of the layers that adapters may change."""
        return self._lora.layer_shapes

    @property
    def max_prompt_tokens(self) -> int:
        """Tokens that a prompt may have, markers not counted."""
        return int(self._tokenizer.model_max_length) - _MARKERS

    @property
    def held_adapter_bytes(self) -> int:
        """Bytes of the packed matrices of the last calls."""
        return self._lora.held_bytes

    def forget_adapters(self, names: Collection[str]) -> None:
        """Drop packed matrices of these adapters."""
        self._lora.forget(names)

    def encode(self, prompts: Sequence[Prompt], adapters: AdapterMix) -> list[TextCondition]:
        """Last hidden states, as diffusers' Stable Diffusion pipeline. Raises: as the port."""
        contexts, _ = self.run(prompts, adapters, lambda output: output.last_hidden_state)
        return [TextCondition(context) for context in contexts]

    def unfamiliar_words(self, prompt: Prompt) -> tuple[str, ...]:
        """See the port."""
        return token_weights.unfamiliar_words(self._tokenizer, prompt.words)

    def run(
        self, prompts: Sequence[Prompt], adapters: AdapterMix, read: Callable[[Any], torch.Tensor]
    ) -> tuple[list[Array], Any]:
        """Encode the words, then weight those states of the full output that *read* picks.

        Returns: The states of each prompt, float32 [tokens, width], and the output, one row per prompt.
        Raises: PromptTooLong, ValueOutOfRange.
        """
        ids = [self._ids(prompt) for prompt in prompts]
        output = self._run(torch.cat(ids), adapters)
        contexts = _rows(read(output))
        for position, prompt in enumerate(prompts):
            weights = token_weights.token_weights(self._tokenizer, prompt.spans, ids[position].shape[1])
            if weights is not None:
                # In a call of its own: prompts without weights have the company that they would have anyway.
                masks = token_weights.masked_tokens(weights)
                variants = [self._masked(ids[position], mask) for mask in masks]
                masked = _rows(read(self._run(torch.cat(variants), adapters)))
                contexts[position] = token_weights.mixed(contexts[position], weights, masked)
        return contexts, output

    @torch.inference_mode()
    def _run(self, ids: torch.Tensor, adapters: AdapterMix) -> Any:
        with self._lora.applied([adapters] * len(ids)):
            return self._encoder(ids, output_hidden_states=True)

    def _masked(self, ids: torch.Tensor, mask: NDArray[np.bool_]) -> torch.Tensor:
        return ids.masked_fill(torch.from_numpy(mask), int(self._tokenizer.eos_token_id))

    def _ids(self, prompt: Prompt) -> torch.Tensor:
        try:
            return tokenize(self._tokenizer, [prompt.words])
        except TooManyTokens as error:
            tokens, limit = error.token_count - _MARKERS, error.token_limit - _MARKERS
            raise PromptTooLong(field=prompt.field, tokens=tokens, limit=limit) from error


class XlText:
    """SDXL's two encoders: next-to-last states side by side, pooled state of the second one.

    Weights of words act on the states; the pooled state is that of the words without weights.
    """

    batch_tolerance = ClipText.batch_tolerance

    def __init__(self, first: ClipText, second: ClipText, *, zeros_for_empty: bool) -> None:
        self._first = first
        self._second = second
        self._zeros_for_empty = zeros_for_empty

    @property
    def layer_shapes(self) -> dict[str, tuple[int, ...]]:
        """Weight shapes of the layers that adapters may change, of both encoders."""
        return self._first.layer_shapes | self._second.layer_shapes

    @property
    def max_prompt_tokens(self) -> int:
        """The smaller of both limits."""
        return min(self._first.max_prompt_tokens, self._second.max_prompt_tokens)

    @property
    def held_adapter_bytes(self) -> int:
        """Bytes of both encoders' packed matrices."""
        return self._first.held_adapter_bytes + self._second.held_adapter_bytes

    def forget_adapters(self, names: Collection[str]) -> None:
        """Drop packed matrices of these adapters."""
        self._first.forget_adapters(names)
        self._second.forget_adapters(names)

    def encode(self, prompts: Sequence[Prompt], adapters: AdapterMix) -> list[TextCondition]:
        """As diffusers' SDXL pipeline, original and target size equal, no crop. Raises: as the port."""
        (first, _), (second, output) = (
            part.run(prompts, adapters, lambda output: output.hidden_states[-2])
            for part in (self._first, self._second)
        )
        contexts = [np.concatenate(pair, axis=-1) for pair in zip(first, second, strict=True)]
        pooled = _rows(output.text_embeds)
        return [self._condition(*row) for row in zip(prompts, contexts, pooled, strict=True)]

    def unfamiliar_words(self, prompt: Prompt) -> tuple[str, ...]:
        """See the port; both tokenizers have the same words."""
        return self._first.unfamiliar_words(prompt)

    def _condition(self, prompt: Prompt, context: Array, pooled: Array) -> TextCondition:
        width, height = prompt.size_px
        ids = np.array([height, width, 0, 0, height, width], dtype=np.float32)
        if self._zeros_for_empty and prompt.field == "negative_prompt" and not prompt.words:
            context, pooled = np.zeros_like(context), np.zeros_like(pooled)
        return TextCondition(context, pooled, ids)


def _row_by_row(layer: torch.nn.Linear, given: torch.Tensor) -> torch.Tensor:
    """SDXL's last projection sees one vector a prompt: in a batch MKL rounds it otherwise than alone."""
    return torch.cat([torch.nn.functional.linear(row, layer.weight, layer.bias) for row in given.split(1)])


def _rows(states: torch.Tensor) -> list[Array]:
    """Copies: a view would keep the states of the whole batch as long as one prompt is needed."""
    return [row.copy() for row in states.float().numpy()]
