"""Text to image; the loop that other techniques start elsewhere or change after each step."""

from collections.abc import Callable, Generator

import numpy as np
from numpy.typing import NDArray

from services.diffusion.domain.programs.guidance import GuidedRows
from services.diffusion.domain.programs.inputs import refuse_others
from services.diffusion.domain.programs.program import (
    DenoisingProgram,
    DenoisingStep,
    FindRegion,
    ProgramInput,
)

Array = NDArray[np.float32]
Loop = Generator[DenoisingStep | FindRegion, tuple[Array, ...], Array]


def text_to_image(given: ProgramInput) -> DenoisingProgram:
    """From noise to latents. Raises: FieldInvalid if the request brings what has no use here."""
    refuse_others(given, "text_to_image")
    return denoise(given, given.sampler.initial_noise(given.latent_shape))


def denoise(
    given: ProgramInput, latent: Array, after_step: Callable[[Array, int], Array] | None = None
) -> Loop:
    """All steps of the sampler from *latent* on; *after_step* may replace the latents that step i leaves."""
    sampler = given.sampler
    step_count = len(sampler.timesteps)
    clean: Array | None = None
    for index, timestep in enumerate(sampler.timesteps):
        scaled = sampler.scale_input(latent, index)
        guided = GuidedRows.of(given, scaled, timestep, index)
        prediction = guided.combine((yield DenoisingStep(guided.rows, index, step_count, clean)))
        clean = sampler.estimate_clean(scaled, prediction, index)
        latent = sampler.step(prediction, index, latent)
        if after_step is not None:
            latent = after_step(latent, index)
    return latent
