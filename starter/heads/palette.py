"""Named colours, and the words that captions use for them. Training data and samples share these names."""

from collections.abc import Mapping

import numpy as np

from starter.heads.arrays import Floats
from starter.heads.identity import Rgb, Skin

HAIR: Mapping[str, Rgb] = {
    "black": (0.025, 0.02, 0.02),
    "dark brown": (0.07, 0.04, 0.025),
    "brown": (0.16, 0.09, 0.05),
    "auburn": (0.28, 0.09, 0.035),
    "blonde": (0.55, 0.38, 0.17),
    "red": (0.45, 0.12, 0.03),
    "blue": (0.05, 0.16, 0.45),
    "pink": (0.65, 0.2, 0.35),
    "grey": (0.42, 0.42, 0.43),
    "white": (0.75, 0.75, 0.74),
    "platinum": (0.76, 0.64, 0.42),
    "green": (0.06, 0.30, 0.10),
    "purple": (0.22, 0.06, 0.38),
}
"""Linear light."""

NATURAL_HAIR = ("black", "dark brown", "brown", "auburn", "blonde", "red")

EYES: Mapping[str, Rgb] = {
    "brown": (0.23, 0.11, 0.045),
    "dark brown": (0.09, 0.045, 0.025),
    "hazel": (0.32, 0.22, 0.08),
    "green": (0.16, 0.30, 0.14),
    "blue": (0.13, 0.30, 0.52),
    "grey": (0.33, 0.38, 0.42),
}
"""Linear light."""

BACKGROUNDS: Mapping[str, Rgb] = {
    "white": (0.93, 0.93, 0.92),
    "grey": (0.55, 0.55, 0.56),
    "black": (0.07, 0.07, 0.08),
    "red": (0.72, 0.16, 0.15),
    "orange": (0.93, 0.52, 0.16),
    "yellow": (0.95, 0.82, 0.30),
    "green": (0.22, 0.55, 0.27),
    "teal": (0.10, 0.50, 0.52),
    "blue": (0.18, 0.36, 0.72),
    "navy": (0.08, 0.13, 0.30),
    "purple": (0.43, 0.24, 0.60),
    "pink": (0.93, 0.62, 0.70),
    "beige": (0.86, 0.77, 0.64),
}
"""As seen on the screen (gamma 2.2), not linear."""

CLOTHES: Mapping[str, Rgb] = {
    "white": (0.90, 0.90, 0.90),
    "grey": (0.48, 0.48, 0.50),
    "black": (0.06, 0.06, 0.07),
    "red": (0.70, 0.10, 0.10),
    "orange": (0.88, 0.42, 0.10),
    "yellow": (0.90, 0.75, 0.20),
    "green": (0.15, 0.48, 0.22),
    "blue": (0.14, 0.30, 0.66),
    "navy": (0.07, 0.11, 0.28),
    "purple": (0.40, 0.18, 0.52),
    "pink": (0.88, 0.50, 0.60),
    "brown": (0.36, 0.22, 0.13),
}
"""As seen on the screen (gamma 2.2), not linear."""

FRAMES: tuple[Rgb, ...] = (
    *((0.02, 0.02, 0.025), (0.12, 0.05, 0.03), (0.35, 0.28, 0.2), (0.55, 0.36, 0.12), (0.5, 0.5, 0.52)),
    *((0.35, 0.02, 0.02), (0.02, 0.05, 0.25)),
)
"""Glasses: black, tortoise, horn, gold, silver, red, blue. Linear light."""

LENSES: tuple[Rgb, ...] = ((0.012, 0.012, 0.014), (0.05, 0.022, 0.01), (0.01, 0.03, 0.045))
"""Sunglasses: grey, brown, blue. Linear light."""

LIPSTICKS: tuple[Rgb, ...] = (
    *((0.52, 0.06, 0.07), (0.55, 0.18, 0.22), (0.42, 0.10, 0.22), (0.60, 0.24, 0.18), (0.22, 0.02, 0.06)),
    *((0.62, 0.12, 0.30), (0.45, 0.22, 0.17)),
)
"""Red, rose, plum, coral, wine, pink, nude. Linear light."""

EYESHADOWS: tuple[Rgb, ...] = (
    *((0.20, 0.10, 0.07), (0.10, 0.09, 0.10), (0.30, 0.10, 0.22), (0.08, 0.16, 0.30), (0.10, 0.22, 0.14)),
    *((0.45, 0.24, 0.10), (0.38, 0.14, 0.13)),
)
"""Brown, smoky, violet, blue, green, gold, rust. Linear light."""

_SKIN_STOPS = np.array(
    [
        [0.66, 0.42, 0.32],
        [0.60, 0.355, 0.25],
        [0.48, 0.27, 0.17],
        [0.33, 0.17, 0.10],
        [0.185, 0.092, 0.054],
        [0.095, 0.048, 0.03],
    ]
)
_SKIN_NAMES = ((0.22, "light"), (0.45, "tan"), (0.68, "brown"))
_AGE_NAMES = ((0.72, "young"), (0.86, "middle-aged"))


def rgb(values: Floats) -> Rgb:
    """Three numbers as a plain tuple."""
    red, green, blue = (float(x) for x in values)
    return red, green, blue


def linear(screen: Floats | Rgb) -> Floats:
    """Linear light of a colour given as seen on the screen (gamma 2.2)."""
    return np.asarray(np.asarray(screen) ** 2.2)


def skin_rgb(skin: Skin) -> Rgb:
    """Linear albedo of unpainted skin."""
    position = skin.melanin * (len(_SKIN_STOPS) - 1)
    stops = np.arange(len(_SKIN_STOPS))
    color = np.array([np.interp(position, stops, _SKIN_STOPS[:, channel]) for channel in range(3)])
    warmth = skin.undertone * 0.05
    return rgb(color * np.array([1 + 0.2 * warmth, 1.0, 1 - 1.2 * warmth]))


def skin_name(melanin: float) -> str:
    """The caption's word: light, tan, brown or dark."""
    return next((name for limit, name in _SKIN_NAMES if melanin < limit), "dark")


def age_name(age: float) -> str:
    """The caption's word: young, middle-aged or elderly."""
    return next((name for limit, name in _AGE_NAMES if age < limit), "elderly")
