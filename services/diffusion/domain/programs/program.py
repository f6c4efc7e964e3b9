"""What a denoising program is: a pure generator from predictions to rows."""

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.diffusion.domain.adapters import AdapterMix
from services.diffusion.domain.ports import Sampler
from services.diffusion.domain.rows import IdentityCondition, TextCondition, UNetRow

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ProgramInput:
    """All that a technique may use; the sampler is this program's own and nobody else's.

    `identity` conditions the prompt's rows, `null_identity` the unguided ones (IP-Adapter shows those the
    tokens of an all-zero embedding); both None without identity.
    """

    sampler: Sampler
    latent_shape: tuple[int, int, int]
    prompt: TextCondition
    negative_prompt: TextCondition
    guidance_scale: float
    identity: IdentityCondition | None = None
    null_identity: IdentityCondition | None = None
    adapters: AdapterMix = ()


@dataclass(frozen=True, eq=False)
class DenoisingStep:
    """What a program waits for: predictions for `rows`.

    Attributes:
        rows: One or more rows, all of one shape.
        done_count: Steps finished before this one.
        step_count: Steps in all.
        clean_estimate: Latents [C, h, w] of the picture as the last finished step saw it, for previews.
    """

    rows: tuple[UNetRow, ...]
    done_count: int
    step_count: int
    clean_estimate: Array | None


# Receives one prediction [C, h, w] per row, in the rows' order, and returns the final latents.
DenoisingProgram = Generator[DenoisingStep, tuple[Array, ...], Array]
Technique = Callable[[ProgramInput], DenoisingProgram]
