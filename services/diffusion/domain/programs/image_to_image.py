"""Image to image: noise a picture part of the way, denoise it again (SDEdit, Meng, arXiv 2108.01073)."""

from services.diffusion.domain.programs.inputs import needed_source, refuse_others
from services.diffusion.domain.programs.program import DenoisingProgram, ProgramInput, Source
from services.diffusion.domain.programs.text_to_image import denoise


def image_to_image(given: ProgramInput) -> DenoisingProgram:
    """The sampler's steps from the noised source on; its strength is the sampler's share of steps.

    Raises: FieldInvalid without a source, or with a mask.
    """
    refuse_others(given, "image_to_image", source=True)
    return _run(given, needed_source(given, "image_to_image"))


def _run(given: ProgramInput, source: Source) -> DenoisingProgram:
    sampler = given.sampler
    # In diffusers' order: first the source's latents, then the noise, from the same generator.
    clean = source.latents.sample(sampler.draw_noise(given.latent_shape))
    noise = sampler.draw_noise(given.latent_shape)
    return (yield from denoise(given, sampler.add_noise(clean, noise, 0)))
