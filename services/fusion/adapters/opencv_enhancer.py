"""Classical enhancement and enlargement: the `Enhancer` that needs no net."""

from __future__ import annotations

import cv2
import numpy as np

from services.fusion.adapters.opencv_blend import from_lab, to_lab
from services.fusion.domain.face import FloatArray, Image
from services.fusion.domain.tiles import in_tiles
from shared.cancellation import CancellationToken

# Lanczos leaves an enlarged picture soft, but what it leaves is no detail: sharpening it fully draws rims.
_GAIN = {1: 1.2, 2: 0.7}


class OpenCvEnhancer:
    """Edge-preserving denoise of flat areas, then an unsharp mask on lightness alone.

    Colour noise is smoothed more than lightness, as the eye resolves it less; sharpening is damped where it
    would overshoot, so that edges get no bright rims.
    """

    name = "classical"

    def __init__(self, scale: int = 1) -> None:
        """For one factor; ValueError unless it is 1 or 2."""
        if scale not in _GAIN:
            raise ValueError(f"scale {scale} is not one of {tuple(_GAIN)}")
        self.scale = scale

    def enhance(self, image: Image, *, strength: float, token: CancellationToken) -> Image:
        """See `Enhancer.enhance`."""
        return in_tiles(
            image,
            lambda piece: self._enhanced(piece, strength),
            scale=self.scale,
            before_piece=token.raise_if_cancelled,
        )

    def _enhanced(self, image: Image, strength: float) -> Image:
        if self.scale > 1:
            size = (image.shape[1] * self.scale, image.shape[0] * self.scale)
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LANCZOS4), np.uint8)
        if strength <= 0:
            return image.copy()
        lab = to_lab(image)
        clean = _denoised(lab, strength)
        clean[..., 0] = _sharpened(clean[..., 0], 0.9 * self.scale, _GAIN[self.scale] * strength)
        return from_lab(clean)


def _denoised(lab: FloatArray, strength: float) -> FloatArray:
    """Guided self-filter: flat areas are averaged, edges kept (He et al., "Guided image filtering", 2010)."""
    out = np.empty_like(lab)
    for channel, eps in enumerate((4.0, 9.0, 9.0)):
        plane = lab[..., channel]
        mean = cv2.blur(plane, (5, 5))
        variance = cv2.blur(plane * plane, (5, 5)) - mean * mean
        gain = variance / (variance + eps)
        smooth = cv2.blur(gain, (5, 5)) * plane + cv2.blur((1 - gain) * mean, (5, 5))
        out[..., channel] = plane + strength * (smooth - plane)
    return out


def _sharpened(lightness: FloatArray, sigma: float, gain: float) -> FloatArray:
    """Unsharp mask limited to the local range, widened by 3 units of lightness."""
    detail = lightness - cv2.GaussianBlur(lightness, (0, 0), sigma)
    sharp = lightness + gain * detail
    around = np.ones((3, 3), np.uint8)
    low, high = cv2.erode(lightness, around) - 3.0, cv2.dilate(lightness, around) + 3.0
    return np.asarray(np.clip(np.clip(sharp, low, high), 0, 100), np.float32)
