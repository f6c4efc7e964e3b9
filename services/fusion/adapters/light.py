"""Puts a warped template into the light of the candidate."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from services.fusion.adapters.opencv_blend import from_lab, to_lab
from services.fusion.domain.face import FloatArray, Image

_GAIN = (0.7, 1.4)
"""Bounds of the gain: a flat candidate must not wash the template out, nor a contrasty one burn it."""
_DARK = 2.0
"""Deviations under the mean of the skin from which on light scales a pixel instead of shifting it."""
_COLOURLESS = 0.35, 0.85
"""Lightness, in that of the skin, at which the colour of a brow or a lash stays its own, and from which it is
skin's."""
_UNTINTED = 0.25
"""How much of the skin's change of colour eyes and brows take: that part is the light's, not the skin's."""
_SIGMA = 0.3
"""Scale of what counts as light, in eye distances: below it lie features, above it shading."""
_SHARE = (0.9, 0.7, 0.7)
"""How much of the coarse difference in L, a, b is taken over; the rest is the person's own face."""
_HIGHLIGHT, _TINT_FADE = 2.5, 6.0
"""Deviations above the mean of its skin that the candidate's highlights reach; units of lightness over which
the colour of what is brighter fades by half."""
_LIMIT = 18.0
"""Largest change by light, in units of LAB: past it there is no shading but a shadow's edge or hair."""
_DOUBT_SIGMA = 0.12
_DOUBT = 9.0, 20.0
"""Differences of skin in LAB, at a scale of an eighth of the eye distance, that are the person's, and that no
person's are."""
_LEAST_SKIN_PX = 16.0


@dataclass(frozen=True, slots=True, eq=False)
class _Tone:
    """Mean and deviation of skin in L, a, b; (3,) float32 each."""

    mean: FloatArray
    deviation: FloatArray

    @classmethod
    def of(cls, lab: FloatArray, share: FloatArray) -> _Tone:
        """*share* (H * W,) sums to 1."""
        flat = lab.reshape(-1, 3)
        mean = share @ flat
        spread = np.sqrt(np.maximum(share @ flat**2 - mean**2, 0))
        return cls(np.asarray(mean, np.float32), np.asarray(spread, np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Relit:
    """A template in another light.

    Attributes:
        image: (H, W, 3) RGB.
        trust: (H, W) in [0, 1]: 0 where it still differs from the candidate as no two skins do: a hard shadow
            of the sun, strands that no part map shows.
    """

    image: Image
    trust: FloatArray


def relit(
    template: Image, candidate: Image, skin: FloatArray, tinted: FloatArray | None, unit_px: float
) -> Relit:
    """*template* in the colours and the shading of *candidate*; both (H, W, 3) RGB and aligned.

    First the LAB mean and deviation of the skin alone (Reinhard et al., "Color transfer between images",
    2001), then the difference that is left at a coarse scale, measured where *skin* (H, W) in [0, 1] is and
    carried on from there (normalised convolution: Knutsson and Westin, 1993). What is much darker than skin
    (pupils, lashes, brows) is scaled by the same light, so that black stays black; where *tinted* (H, W) is 0
    the template shows no skin (eyes, brows, teeth), and takes little of its change of colour. Without it
    that is told by lightness.
    """
    total = float(skin.sum())
    if total < _LEAST_SKIN_PX:
        return Relit(template, np.ones(skin.shape, np.float32))
    source, target = to_lab(template), to_lab(candidate)
    share = (skin / total).ravel()
    given, wanted = _Tone.of(source, share), _Tone.of(target, share)
    reach = _reach(source[..., :1], tinted, given)
    gain = np.clip(wanted.deviation / np.maximum(given.deviation, 1e-3), *_GAIN)
    change = (source - given.mean) * (gain - 1) + (wanted.mean - given.mean)
    matched = source + reach * change
    light = _slow(target - matched, skin, _SIGMA * unit_px)
    light = np.clip(light * np.array(_SHARE, np.float32), -_LIMIT, _LIMIT)
    lit = _without_tinted_white(matched + reach * light, source[..., :1], wanted)
    left = np.linalg.norm(_slow(target - lit, skin, _DOUBT_SIGMA * unit_px), axis=-1)
    ramp = np.clip((_DOUBT[1] - left) / (_DOUBT[1] - _DOUBT[0]), 0, 1)
    return Relit(from_lab(lit), np.asarray(ramp * ramp * (3 - 2 * ramp), np.float32))


def _reach(lightness: FloatArray, tinted: FloatArray | None, given: _Tone) -> FloatArray:
    """(H, W, 3): the share of the change that each pixel takes in L, a, b: all on skin, none on black."""
    middle = max(float(given.mean[0]), 10.0)
    knee = max(middle - _DARK * float(given.deviation[0]), 5.0)
    if tinted is None:
        low, high = _COLOURLESS
        colour = np.clip((lightness / middle - low) / (high - low), 0, 1)
    else:
        colour = _UNTINTED + (1 - _UNTINTED) * tinted[..., None]
    return np.concatenate([np.clip(lightness / knee, 0, 1), colour, colour], axis=-1)


def _without_tinted_white(lab: FloatArray, own: FloatArray, wanted: _Tone) -> FloatArray:
    """Skin is lit no brighter than the candidate's highlights: past them lies clipped white with a tint.

    What was as bright by its own lightness (H, W, 1), such as the white of an eye, stays so.
    """
    brightest = np.maximum(min(float(wanted.mean[0] + _HIGHLIGHT * wanted.deviation[0]), 100.0), own)
    over = np.maximum(lab[..., :1] - brightest, 0)
    lightness = lab[..., :1] - over
    return np.concatenate([lightness, lab[..., 1:] / (1 + over / _TINT_FADE)], axis=-1)


def _slow(difference: FloatArray, skin: FloatArray, sigma_px: float) -> FloatArray:
    """The part of *difference* (H, W, 3) over the skin that is slower than *sigma_px*."""
    height, width = skin.shape
    step = max(1, round(sigma_px / 3))
    small = (max(1, width // step), max(1, height // step))
    both = np.dstack([difference * skin[..., None], skin])
    weighted = cv2.resize(both, small, interpolation=cv2.INTER_AREA)
    sigma = sigma_px * small[0] / width
    slow = cv2.GaussianBlur(weighted, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
    mean = slow[..., :3] / np.maximum(slow[..., 3:], 0.02)
    return np.asarray(cv2.resize(mean, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
