"""Late identity injection: the prompt lays out the picture, then the person enters the face and hair alone.

Steps before the start run without the person. Then one estimate of the finished picture with the person
shows where face and hair are; from there on each step is evaluated with and without the person, and the
two are blended by that region. PhotoMaker (arXiv 2312.04461) delays the person too, without a region.
"""

import numpy as np
from numpy.typing import NDArray

from services.diffusion.domain.masks import feathered
from services.diffusion.domain.programs.guidance import scales_at
from services.diffusion.domain.programs.inputs import needed_person, refuse_others
from services.diffusion.domain.programs.program import (
    DenoisingProgram,
    DenoisingStep,
    FindRegion,
    ProgramInput,
)
from services.diffusion.domain.request import Injection
from services.diffusion.domain.rows import UNetRow

Array = NDArray[np.float32]


def late_injection(given: ProgramInput) -> DenoisingProgram:
    """From noise to latents, the person from `injection.start_share` of the steps on.

    Predictions are blended rather than latents: a sampler's step is linear in its prediction, so the result
    is the same, and a multistep sampler keeps one history.

    Raises: FieldInvalid without a person.
    """
    refuse_others(given, "late_injection", injection=True)
    needed_person(given, "late_injection")
    return _run(given, given.injection or Injection())


def _run(given: ProgramInput, injection: Injection) -> DenoisingProgram:
    sampler = given.sampler
    step_count = len(sampler.timesteps)
    latent = sampler.initial_noise(given.latent_shape)
    clean: Array | None = None
    region: Array | None = None
    for index, timestep in enumerate(sampler.timesteps):
        is_late = index >= injection.start_share * step_count
        scaled = sampler.scale_input(latent, index)
        rows = _rows(given, scaled, timestep, index, with_person=is_late)
        predictions = yield DenoisingStep(rows, index, step_count, clean)
        prediction, added = _combine(given, predictions, index, with_person=is_late)
        if is_late:
            if region is None:
                estimates = (prediction + added, prediction)
                (found,) = yield FindRegion(*(sampler.estimate_clean(scaled, e, index) for e in estimates))
                region = feathered(found, round(injection.feather_px / given.cell_px))
            prediction = prediction + np.float32(injection.strength) * region * added
        clean = sampler.estimate_clean(scaled, prediction, index)
        latent = sampler.step(prediction, index, latent)
    return latent


def _rows(
    given: ProgramInput, scaled: Array, timestep: float, index: int, *, with_person: bool
) -> tuple[UNetRow, ...]:
    """(nothing)?, words, (both)?: see GuidedRows; `words` is always needed, it is the picture outside."""
    text, _ = scales_at(given.guidance, index, len(given.sampler.timesteps))
    rows = [given.row(scaled, timestep, given.prompt, with_person=False)]
    if text != 1:
        rows.insert(0, given.row(scaled, timestep, given.negative_prompt, with_person=False))
    if with_person:
        rows.append(given.row(scaled, timestep, given.prompt, with_person=True))
    return tuple(rows)


def _combine(
    given: ProgramInput, predictions: tuple[Array, ...], index: int, *, with_person: bool
) -> tuple[Array, Array]:
    """The prediction without the person, and what the person adds to it."""
    text, identity = scales_at(given.guidance, index, len(given.sampler.timesteps))
    nothing, words = predictions[0], predictions[0 if text == 1 else 1]
    without = nothing + np.float32(text) * (words - nothing)
    added = np.float32(identity) * (predictions[-1] - words)
    return without, added if with_person else np.zeros_like(without)
