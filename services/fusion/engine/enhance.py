"""Use case: clean a picture, and enlarge it."""

from __future__ import annotations

from dataclasses import dataclass

from services.fusion.domain.face import Image
from services.fusion.domain.ports import Enhancer
from shared.cancellation import CancellationToken
from shared.errors.common import CapabilityUnavailable


@dataclass(frozen=True, slots=True, eq=False)
class Enhanced:
    """A picture and what was done to it.

    Attributes:
        image: RGB uint8.
        enhancer: name of what cleaned it; empty where nothing did.
        upscaler: name of what enlarged it; empty where nothing did.
    """

    image: Image
    enhancer: str
    upscaler: str


def enhance(
    enhancer: Enhancer,
    upscaler: Enhancer,
    image: Image,
    *,
    scale: int,
    strength: float,
    token: CancellationToken,
) -> Enhanced:
    """*image* cleaned by *strength* in [0, 1] at its own size, then enlarged *scale* times.

    In this order because an upscaler takes the blur and the grain of a small picture for its content.

    Raises:
        CapabilityUnavailable: *scale* is neither 1 nor what the upscaler does.
        Cancelled: *token* was cancelled between two pieces.
    """
    if scale not in (1, upscaler.scale):
        needed = f"an upscaler for it; {upscaler.name} enlarges {upscaler.scale} times"
        raise CapabilityUnavailable(capability=f"enhance at scale {scale}", needed=needed)
    cleaned_by = upscaled_by = ""
    if strength > 0:
        image, cleaned_by = enhancer.enhance(image, strength=strength, token=token), enhancer.name
    if scale > 1:
        image, upscaled_by = upscaler.enhance(image, strength=1.0, token=token), upscaler.name
    return Enhanced(image, cleaned_by, upscaled_by)
