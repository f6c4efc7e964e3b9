"""Classifier-free guidance towards the text and, further, towards the person, on some steps or on all."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.diffusion.domain.programs.program import ProgramInput
from services.diffusion.domain.request import Guidance
from services.diffusion.domain.rows import UNetRow

Array = NDArray[np.float32]


def scales_at(guidance: Guidance, index: int, step_count: int) -> tuple[float, float]:
    """Scales of (text, identity) for step *index*; 1 and 1, which is no guidance, outside the interval.

    The interval is that of Kynkäänniemi et al. (arXiv 2404.07724), in shares of the steps.
    """
    first, last = guidance.interval
    if not first <= index / step_count < last:
        return 1.0, 1.0
    text = max(1.0, guidance.text_scale)
    return text, text if guidance.identity_scale is None else guidance.identity_scale


@dataclass(frozen=True, eq=False)
class GuidedRows:
    """The rows of one step and how their predictions become one.

    prediction = nothing + text * (words - nothing) + identity * (both - words), where `nothing` has the
    negative prompt, `words` the prompt alone and `both` the prompt and the person (Ho and Salimans, arXiv
    2207.12598, for two conditions as in Brooks et al., arXiv 2211.09800). A row whose factor is 0 is not
    evaluated: `nothing` at a text scale of 1, `words` where both scales are the same, or without a person.
    """

    rows: tuple[UNetRow, ...]
    tails: tuple[float, ...]

    @classmethod
    def of(cls, given: ProgramInput, scaled: Array, timestep: float, index: int) -> "GuidedRows":
        """Rows for step *index* of the picture, *scaled* being the UNet's input."""
        text, identity = scales_at(given.guidance, index, len(given.sampler.timesteps))
        if not given.shows_person:
            identity = text
        terms = (
            (given.negative_prompt, False, 1 - text),
            (given.prompt, False, text - identity),
            (given.prompt, True, identity),
        )
        kept = [term for term in terms if term[2] != 0]
        rows = tuple(given.row(scaled, timestep, words, with_person=shown) for words, shown, _ in kept)
        return cls(rows, tuple(sum(factor for *_, factor in kept[at:]) for at in range(len(kept))))

    def combine(self, predictions: tuple[Array, ...]) -> Array:
        """One prediction from those of the rows."""
        result = predictions[0]
        for nearer, further, tail in zip(predictions, predictions[1:], self.tails[1:], strict=False):
            result = result + np.float32(tail) * (further - nearer)
        return result
