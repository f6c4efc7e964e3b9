"""Inpaint and template mode: exchange what a mask covers, keep the scene to the bit.

The latents outside of the mask are put back after each step, noised to the step's level (Lugmayr et al.,
arXiv 2201.09865, without resampling), as diffusers' StableDiffusionInpaintPipeline does for UNets without
mask channels.
"""

import numpy as np
from numpy.typing import NDArray

from services.diffusion.domain.masks import cells, feathered, paste
from services.diffusion.domain.programs.inputs import needed_mask, needed_source, refuse_others
from services.diffusion.domain.programs.program import DenoisingProgram, Finished, ProgramInput, Source
from services.diffusion.domain.programs.text_to_image import denoise

Array = NDArray[np.float32]
Image = NDArray[np.uint8]


def inpaint(given: ProgramInput) -> DenoisingProgram:
    """Denoise inside of the mask; beyond its seam of `feather_px` the picture's bytes are the source's.

    A latent cell is exchanged if the mask covers half of any pixel in it. Inside of the seam the picture
    drawn and the source are mixed.

    Raises: FieldInvalid without a source or a mask.
    """
    refuse_others(given, "inpaint", source=True, mask=True)
    return _run(given, needed_source(given, "inpaint"), needed_mask(given, "inpaint"))


def _run(given: ProgramInput, source: Source, mask: Array) -> DenoisingProgram:
    sampler = given.sampler
    clean = source.latents.sample(sampler.draw_noise(given.latent_shape))
    noise = sampler.draw_noise(given.latent_shape)
    # diffusers draws once more, for latents of the masked picture that only UNets with mask channels use;
    # samplers that draw in their steps (LCM, Euler ancestral) would not give its picture otherwise.
    sampler.draw_noise(given.latent_shape)
    is_whole_run = len(sampler.timesteps) == sampler.full_step_count
    start = noise * np.float32(sampler.initial_sigma) if is_whole_run else sampler.add_noise(clean, noise, 0)
    covered = (mask >= 0.5).astype(np.float32)
    inside = cells(covered, given.cell_px)

    def keep_outside(latent: Array, index: int) -> Array:
        kept = sampler.add_noise(clean, noise, index + 1)
        return (1 - inside) * kept + inside * latent

    latent = yield from denoise(given, start, keep_outside)
    seam = np.maximum(mask, feathered(covered, source.feather_px))
    return Finished(latent, lambda drawn: paste(drawn, source.image, seam))
