"""Denoising programs by name. A new technique is one file here and one line in `TECHNIQUES`."""

from collections.abc import Mapping
from types import MappingProxyType

from services.diffusion.domain.programs.program import (
    DenoisingProgram,
    DenoisingStep,
    ProgramInput,
    Technique,
)
from services.diffusion.domain.programs.text_to_image import text_to_image

DEFAULT_TECHNIQUE = "text_to_image"
TECHNIQUES: Mapping[str, Technique] = MappingProxyType({DEFAULT_TECHNIQUE: text_to_image})

__all__ = [
    "DEFAULT_TECHNIQUE",
    "TECHNIQUES",
    "DenoisingProgram",
    "DenoisingStep",
    "ProgramInput",
    "Technique",
]
