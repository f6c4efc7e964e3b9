"""Text to image with classifier-free guidance (Ho and Salimans, arXiv 2207.12598)."""

import numpy as np
from numpy.typing import NDArray

from services.diffusion.domain.programs.program import DenoisingProgram, DenoisingStep, ProgramInput
from services.diffusion.domain.rows import UNetRow

Array = NDArray[np.float32]


def text_to_image(given: ProgramInput) -> DenoisingProgram:
    """From noise to latents; at a guidance scale of 1 or below only the prompt's rows are evaluated."""
    sampler = given.sampler
    latent = sampler.initial_noise(given.latent_shape)
    timesteps = sampler.timesteps
    clean: Array | None = None
    for index, timestep in enumerate(timesteps):
        scaled = sampler.scale_input(latent, index)
        predictions = yield DenoisingStep(_rows(given, scaled, timestep), index, len(timesteps), clean)
        prediction = guide(predictions, given.guidance_scale)
        clean = sampler.estimate_clean(scaled, prediction, index)
        latent = sampler.step(prediction, index, latent)
    return latent


def guide(predictions: tuple[Array, ...], guidance_scale: float) -> Array:
    """Combine (unguided, prompted) predictions; a single one is returned as it is."""
    if len(predictions) == 1:
        return predictions[0]
    unguided, prompted = predictions
    return unguided + np.float32(guidance_scale) * (prompted - unguided)


def _rows(given: ProgramInput, scaled: Array, timestep: float) -> tuple[UNetRow, ...]:
    prompted = UNetRow(scaled, timestep, given.prompt, given.identity, given.adapters)
    if given.guidance_scale <= 1:
        return (prompted,)
    return (
        UNetRow(scaled, timestep, given.negative_prompt, given.null_identity, given.adapters),
        prompted,
    )
