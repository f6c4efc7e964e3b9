"""Denoising programs by name. A new technique is one file here and one line in `TECHNIQUES`."""

from collections.abc import Mapping
from types import MappingProxyType

from services.diffusion.domain.programs.image_to_image import image_to_image
from services.diffusion.domain.programs.inpaint import inpaint
from services.diffusion.domain.programs.late_injection import late_injection
from services.diffusion.domain.programs.program import (
    DenoisingProgram,
    DenoisingStep,
    FindRegion,
    Finished,
    ProgramInput,
    Source,
    Technique,
)
from services.diffusion.domain.programs.text_to_image import text_to_image

DEFAULT_TECHNIQUE = "text_to_image"
TECHNIQUES: Mapping[str, Technique] = MappingProxyType(
    {
        DEFAULT_TECHNIQUE: text_to_image,
        "image_to_image": image_to_image,
        "inpaint": inpaint,
        "late_injection": late_injection,
    }
)

__all__ = [
    "DEFAULT_TECHNIQUE",
    "TECHNIQUES",
    "DenoisingProgram",
    "DenoisingStep",
    "FindRegion",
    "Finished",
    "ProgramInput",
    "Source",
    "Technique",
]
