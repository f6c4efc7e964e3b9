"""Effects, frames and the rules that hold for every translator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
"""RGB, H x W x 3, 0..255."""

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Effect:
    """One drawn style that can be asked for; *description* is one sentence, *licence* that of its weights."""

    name: str
    description: str
    licence: str


class Translator(Protocol):
    """Draws a picture in one style; one contract test under tests/contract/ for every implementation."""

    @property
    def effect(self) -> Effect:
        """The style it draws."""
        ...

    def translate(self, image: Image) -> Image:
        """*image* in the style, same size, any size from 1 x 1; deterministic."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame of a stream; *strength* in [0, 1] blends the drawing over the frame."""

    sequence: int
    image: Image
    strength: float = 1.0


def mixed(drawn: Image, original: Image, strength: float) -> Image:
    """*drawn* over *original*: 1 gives the drawing, 0 the original, bit for bit."""
    if strength >= 1:
        return drawn
    if strength <= 0:
        return original
    out = original + strength * (drawn.astype(np.float32) - original)
    return np.asarray(np.round(out), np.uint8)


@dataclass(frozen=True, slots=True)
class WorkSize:
    """The size at which a net sees a picture.

    Attributes:
        width_px, height_px: the picture's size, aspect kept, before padding.
        padded_width_px, padded_height_px: multiples of what the net divides by.
    """

    width_px: int
    height_px: int
    padded_width_px: int
    padded_height_px: int


def work_size(width_px: int, height_px: int, *, longest_px: int, shortest_px: int, multiple: int) -> WorkSize:
    """Scale a picture so that its longer side lies in [shortest_px, longest_px], and pad to *multiple*.

    Within the range the size stays as it is. A side never falls under 1 px.
    """
    longer = max(width_px, height_px)
    target = min(max(longer, shortest_px), longest_px)
    width = max(1, round(width_px * target / longer))
    height = max(1, round(height_px * target / longer))
    padded = (-(-width // multiple) * multiple, -(-height // multiple) * multiple)
    return WorkSize(width, height, *padded)


class Steadiness:
    """Damps flicker between frames: where the input stands still, the drawing follows only slowly.

    Args:
        amount: in [0, 1); share of the previous drawing that a still pixel keeps. 0 turns it off.
    """

    def __init__(self, amount: float) -> None:
        self._amount = amount
        self._previous: tuple[Image, FloatArray] | None = None

    def steadied(self, frame: Image, drawn: Image) -> Image:
        """*drawn*, mixed with the previous result where *frame* has not moved.

        A pixel counts as still in the measure exp(-(d / 8)^2) of its change d in grey levels, so that noise
        is damped and motion leaves no trail. A frame of another size starts anew.
        """
        current = drawn.astype(np.float32)
        if self._amount > 0 and self._previous is not None and self._previous[0].shape == frame.shape:
            before, result = self._previous
            change = np.abs(frame.astype(np.float32) - before).mean(-1, keepdims=True)
            keep = self._amount * np.exp(-((change / 8.0) ** 2))
            current = np.asarray(current + keep * (result - current), np.float32)
        self._previous = (frame, current)
        return np.asarray(np.clip(np.round(current), 0, 255), np.uint8)
