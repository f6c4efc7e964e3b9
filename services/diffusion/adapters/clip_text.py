"""Prompts through the CLIP text encoders of a Stable Diffusion or SDXL folder."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from services.diffusion.adapters.row_lora import RowLora
from services.diffusion.domain.adapters import AdapterMix
from services.diffusion.domain.rows import TextCondition
from services.diffusion.errors import PromptTooLong
from shared.sdmodels import TooManyTokens, tokenize

Array = NDArray[np.float32]
_MARKERS = 2  # start and end


class ClipText:
    """One tokenizer and encoder. Prompts are encoded one by one, so none depends on its company."""

    def __init__(self, tokenizer: Any, encoder: Any, component: str = "text_encoder") -> None:
        self._tokenizer = tokenizer
        self._encoder = encoder
        self._lora = RowLora(encoder, component)

    @property
    def layer_shapes(self) -> dict[str, tuple[int, ...]]:
        """Weight shapes of the layers that adapters may change."""
        return self._lora.layer_shapes

    @property
    def max_prompt_tokens(self) -> int:
        """Tokens that a prompt may have, markers not counted."""
        return int(self._tokenizer.model_max_length) - _MARKERS

    def encode(
        self, prompts: Sequence[tuple[str, str]], adapters: AdapterMix, size_px: tuple[int, int]
    ) -> list[TextCondition]:
        """Last hidden states, as diffusers' Stable Diffusion pipeline. Raises: PromptTooLong."""
        states = [self.run(field, text, adapters).last_hidden_state for field, text in prompts]
        return [TextCondition(_array(state)) for state in states]

    @torch.inference_mode()
    def run(self, field: str, text: str, adapters: AdapterMix) -> Any:
        """The encoder's full output for one prompt. Raises: PromptTooLong."""
        try:
            ids = tokenize(self._tokenizer, [text])
        except TooManyTokens as error:
            tokens, limit = error.token_count - _MARKERS, error.token_limit - _MARKERS
            raise PromptTooLong(field=field, tokens=tokens, limit=limit) from error
        with self._lora.applied([adapters]):
            return self._encoder(ids, output_hidden_states=True)


class XlText:
    """SDXL's two encoders: next-to-last states side by side, pooled state of the second one."""

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

    def encode(
        self, prompts: Sequence[tuple[str, str]], adapters: AdapterMix, size_px: tuple[int, int]
    ) -> list[TextCondition]:
        """As diffusers' SDXL pipeline, original and target size equal, no crop. Raises: PromptTooLong."""
        width, height = size_px
        ids = np.array([height, width, 0, 0, height, width], dtype=np.float32)
        return [self._encode(field, text, adapters, ids) for field, text in prompts]

    def _encode(self, field: str, text: str, adapters: AdapterMix, ids: Array) -> TextCondition:
        first, second = (part.run(field, text, adapters) for part in (self._first, self._second))
        context = torch.cat([first.hidden_states[-2], second.hidden_states[-2]], dim=-1)
        pooled = second.text_embeds
        if self._zeros_for_empty and field == "negative_prompt" and not text:
            context, pooled = torch.zeros_like(context), torch.zeros_like(pooled)
        return TextCondition(_array(context), _array(pooled), ids)


def _array(states: torch.Tensor) -> Array:
    result: Array = states[0].float().numpy()
    return result
