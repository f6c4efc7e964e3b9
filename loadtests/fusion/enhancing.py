"""Enhancing and upscaling: what they do to a portrait, and what they bring back of a spoiled photo."""

import zlib

import cv2
import numpy as np
from likeness.common.v1 import image_pb2
from likeness.fusion.v1 import fusion_pb2 as pb
from numpy.typing import NDArray

from loadtests.common.services import CALL_TIMEOUT_S, Seen, Services
from loadtests.fusion.looks import Eye, Look, References
from loadtests.fusion.people import Person
from shared.images import decode_image, encode_png
from starter.data.degrade import DEGRADATIONS

Image = NDArray[np.uint8]
# Strengths that one meets: a phone at dusk, a picture that was sent around.
_SPOILED = (("blur", 0.15), ("noise", 0.2), ("compression", 0.5))


def upscaled_look(services: Services, eye: Eye, picture: Seen, references: References) -> Look:
    """Returns how a picture of twice the size looks, as the orchestrator has it made."""
    enlarged = enhance(services, picture.data, scale=2, strength=0.0)
    return eye.look(eye.reader.read_one(enlarged), references)


def degraded_figures(services: Services, person: Person) -> dict[str, dict[str, float]]:
    """Returns PSNR to the clean photo, in dB, by kind of damage, then by what was done against it.

    "spoiled" is nothing at all. Of "half size", peers are the resampling that everybody has.
    """
    clean = decode_image(person.probes[0].image.read_bytes(), name="photo")
    figures = {}
    for kind, strength in _SPOILED:
        rng = np.random.default_rng([zlib.crc32(kind.encode()), person.number])
        spoiled = DEGRADATIONS[kind](clean, strength, rng)
        figures[kind] = {
            "spoiled": psnr(spoiled, clean),
            "enhanced": psnr(_through(services, spoiled, 1), clean),
            "OpenCV": psnr(_non_local_means(spoiled), clean),
        }
    small = np.asarray(
        cv2.resize(clean, (clean.shape[1] // 2, clean.shape[0] // 2), interpolation=cv2.INTER_AREA), np.uint8
    )
    figures["half size"] = {
        "upscaled": psnr(_through(services, small, 2), clean),
        "bicubic": psnr(_resized(small, clean, cv2.INTER_CUBIC), clean),
        "Lanczos": psnr(_resized(small, clean, cv2.INTER_LANCZOS4), clean),
    }
    return figures


def enhance(services: Services, data: bytes, *, scale: int, strength: float | None = None) -> bytes:
    """Has a picture enhanced; strength None is the service's default."""
    request = pb.EnhanceRequest(image=image_pb2.Image(data=data), scale=scale, strength=strength)
    return services.fusion.Enhance(request, timeout=CALL_TIMEOUT_S).image.data


def psnr(image: Image, truth: Image) -> float:
    """Returns the peak signal-to-noise ratio in dB; 100 for equal pictures, as JSON has no infinity."""
    error = float(np.mean((image.astype(np.float64) - truth.astype(np.float64)) ** 2))
    return 100.0 if error == 0 else min(100.0, float(10 * np.log10(255**2 / error)))


def _through(services: Services, image: Image, scale: int) -> Image:
    strength = 0.0 if scale > 1 else None
    return decode_image(enhance(services, encode_png(image), scale=scale, strength=strength), name="enhanced")


def _non_local_means(image: Image) -> Image:
    return np.asarray(cv2.fastNlMeansDenoisingColored(image, None, 5, 5, 7, 15), np.uint8)


def _resized(image: Image, like: Image, method: int) -> Image:
    return np.asarray(cv2.resize(image, (like.shape[1], like.shape[0]), interpolation=method), np.uint8)
