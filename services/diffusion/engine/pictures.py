"""Pictures of a request in the form that programs take: the finished picture's size, latents, masks."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from services.diffusion.domain.latents import LatentDistribution
from services.diffusion.domain.model import Model
from services.diffusion.domain.programs import Source
from services.diffusion.domain.request import ControlChoice, SourceChoice, control_unavailable
from services.diffusion.domain.rows import ControlHint

Image = NDArray[np.uint8]


def prepare_source(choice: SourceChoice, size_px: tuple[int, int], latents: LatentDistribution) -> Source:
    """The picture to start from; *size_px* is (width, height), *latents* are those of the scaled picture."""
    image = scaled(choice.image, size_px)
    mask = None
    if choice.mask is not None:
        mask = np.asarray(
            Pillow.fromarray(scaled(choice.mask, size_px)).convert("L"), np.float32
        ) / np.float32(255)
    return Source(image, latents, mask, choice.feather_px)


def prepare_hint(model: Model, choice: ControlChoice | None, size_px: tuple[int, int]) -> ControlHint | None:
    """The control picture as rows carry it. Raises: CapabilityUnavailable where nothing can use it."""
    if choice is None:
        return None
    if not model.supports_control:
        raise control_unavailable(model.info.name, model.unet.description)
    image = scaled(choice.image, size_px).astype(np.float32) / 255
    return ControlHint(np.ascontiguousarray(image.transpose(2, 0, 1)), choice.scale)


def scaled(image: Image, size_px: tuple[int, int]) -> Image:
    """*image* in *size_px* (width, height); Lanczos as in diffusers; untouched if it has that size."""
    if image.shape[1::-1] == size_px:
        return image
    return np.asarray(Pillow.fromarray(image).resize(size_px, Pillow.Resampling.LANCZOS))
