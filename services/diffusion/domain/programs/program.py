"""What a denoising program is: a pure generator from predictions to rows."""

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.diffusion.domain.adapters import AdapterMix, without_person
from services.diffusion.domain.latents import LatentDistribution
from services.diffusion.domain.ports import Sampler
from services.diffusion.domain.request import Guidance, Injection
from services.diffusion.domain.rows import ControlHint, IdentityCondition, TextCondition, UNetRow

Array = NDArray[np.float32]
Image = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Source:
    """A picture that a technique starts from.

    Attributes:
        image: RGB uint8 [H, W, 3], of the finished picture's size.
        latents: The same as the UNet sees it; [C, h, w].
        mask: Float32 [H, W] in [0, 1], 1 where the picture is to be exchanged; None without one.
        feather_px: Width of the seam around the mask.
    """

    image: Image
    latents: LatentDistribution
    mask: Array | None = None
    feather_px: int = 0


@dataclass(frozen=True, eq=False)
class ProgramInput:
    """All that a technique may use; the sampler is this program's own and nobody else's.

    `identity` conditions the rows that show the person, `null_identity` the others (IP-Adapter shows those
    the tokens of an all-zero embedding); both None without identity. `shows_person` is False where all rows
    show the same: no tokens, and no adapter of a person. A latent cell is `cell_px` px wide.
    """

    sampler: Sampler
    latent_shape: tuple[int, int, int]
    prompt: TextCondition
    negative_prompt: TextCondition
    guidance: Guidance
    identity: IdentityCondition | None = None
    null_identity: IdentityCondition | None = None
    adapters: AdapterMix = ()
    control: ControlHint | None = None
    source: Source | None = None
    injection: Injection | None = None
    cell_px: int = 8
    shows_person: bool = False

    def row(self, latent: Array, timestep: float, text: TextCondition, *, with_person: bool) -> UNetRow:
        """A row of this picture, with its control hint, and with the person's tokens and adapters or not."""
        identity = self.identity if with_person else self.null_identity
        adapters = self.adapters if with_person else without_person(self.adapters)
        return UNetRow(latent, timestep, text, identity, adapters, self.control, with_person)


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


@dataclass(frozen=True, eq=False)
class FindRegion:
    """What a program may wait for between two steps: the mask of the person, one float32 [h, w].

    Attributes:
        with_identity: Latents [C, h, w] of the picture as the last step estimates it with the identity.
        without_identity: The same without the identity.
    """

    with_identity: Array
    without_identity: Array


@dataclass(frozen=True, eq=False)
class Finished:
    """Final latents of a picture that needs a last touch in pixels.

    `finish` is pure: from the decoded picture RGB uint8 [H, W, 3] to the finished one of the same size.
    """

    latents: Array
    finish: Callable[[Image], Image]


# Yields a step first; receives one prediction [C, h, w] per row in the rows' order, or the one mask of a
# FindRegion; returns the final latents.
DenoisingProgram = Generator[DenoisingStep | FindRegion, tuple[Array, ...], Array | Finished]
Technique = Callable[[ProgramInput], DenoisingProgram]
