"""Light, background, clothes and framing of one picture."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from starter.heads import palette
from starter.heads.arrays import Floats
from starter.heads.clothes import CUTS, Cut
from starter.heads.identity import Rgb

Direction = tuple[float, float, float]


@dataclass(frozen=True)
class Lighting:
    """Directions point towards the light, need not be unit length; colours are linear intensities.

    sky and ground light the scene from above and below; `name` is the caption's word.
    """

    name: str
    key_direction: Direction
    key: Rgb
    fill_direction: Direction
    fill: Rgb
    rim_direction: Direction
    rim: Rgb
    sky: Rgb
    ground: Rgb


@dataclass(frozen=True)
class Clothes:
    """A top. Colours are linear; `second` is that of stripes, of a suit's shirt, of cords.

    neckline: height of a t-shirt's or hoodie's, decimetres on the neutral head. v_neck: depth of the opening.
    """

    color: str
    rgb: Rgb
    second: Rgb
    is_striped: bool
    neckline: float
    v_neck: float
    cut: Cut

    @property
    def pattern(self) -> str:
        """The caption's word."""
        return "striped" if self.is_striped else "plain"


@dataclass(frozen=True)
class Framing:
    """fill: face over picture height. right, up: camera shift in pictures; rise: its height in faces."""

    fill: float = 0.72
    right: float = 0.0
    up: float = 0.0
    rise: float = 0.0


@dataclass(frozen=True)
class Scene:
    """Everything around the character. Background colours are linear: `background_top` fades to `_bottom`.

    background: the caption's word, a colour or one of SCENERIES. backdrop: how it is drawn, of BACKDROPS.
    backdrop_seed: shifts clouds, lights and books.
    """

    lighting: Lighting
    background: str
    backdrop: str
    backdrop_seed: float
    background_top: Rgb
    background_bottom: Rgb
    clothes: Clothes
    frame_rgb: Rgb
    lens_rgb: Rgb
    framing: Framing


@dataclass(frozen=True)
class _LightKind:
    share: float
    key: float
    fill: float
    azimuth_deg: float
    ambient: float
    tint: Rgb


_NEUTRAL: Rgb = (1.0, 0.97, 0.94)
LIGHTS: Mapping[str, _LightKind] = {
    "soft light": _LightKind(0.45, 1.5, 0.85, 22, 1.15, _NEUTRAL),
    "warm light": _LightKind(0.2, 2.0, 0.5, 32, 0.95, (1.0, 0.90, 0.78)),
    "cool light": _LightKind(0.2, 1.9, 0.55, 32, 0.95, (0.80, 0.90, 1.06)),
    "dramatic light": _LightKind(0.15, 2.5, 0.26, 55, 0.7, _NEUTRAL),
}
NECKLINES = (5.98, 5.88, 5.8)
V_NECKS = (0.0, 0.0, 0.25, 0.5)
STRIPED_SHARE = 0.2
CUT_SHARES = (0.44, 0.13, 0.17, 0.13, 0.13)  # in the order of clothes.CUTS

BACKDROPS = (
    *("plain", "gradient", "spotlight", "lights", "sky", "sunset", "forest", "city at night", "library"),
    "living room",
)
"""In the order of the numbers in shaders/background.glsl."""
SCENERIES = BACKDROPS[4:]
"""Backdrops that are no colour but a place; they are the caption's word for the background."""
_COLORED = ("plain", "gradient", "spotlight", "lights")
_COLORED_SHARES = (0.52, 0.2, 0.2, 0.08)
SCENERY_SHARE = 0.2


def sample_scene(rng: np.random.Generator) -> Scene:
    """Draw light, background, clothes and framing."""
    background = str(rng.choice(list(palette.BACKGROUNDS)))
    shade = _jitter(rng, palette.BACKGROUNDS[background])
    backdrop = str(rng.choice(_COLORED, p=_COLORED_SHARES))
    if rng.random() < SCENERY_SHARE:
        background = backdrop = str(rng.choice(SCENERIES))
        shade = np.array(palette.BACKGROUNDS["blue"]) * 1.1
    return Scene(
        lighting=sample_lighting(rng),
        background=background,
        backdrop=backdrop,
        backdrop_seed=float(np.round(rng.uniform(0, 40), 2)),
        background_top=palette.rgb(palette.linear(shade)),
        background_bottom=palette.rgb(palette.linear(shade * _FADES.get(backdrop, 0.8))),
        clothes=sample_clothes(rng),
        frame_rgb=palette.FRAMES[rng.integers(len(palette.FRAMES))],
        lens_rgb=palette.LENSES[rng.integers(len(palette.LENSES))],
        framing=Framing(
            fill=float(rng.normal(0.72, 0.006)),
            right=float(rng.normal(0, 0.01)),
            up=float(rng.normal(0, 0.01)),
            rise=float(rng.normal(0, 0.06)),
        ),
    )


_FADES = {"gradient": 0.45, "spotlight": 0.5, "lights": 0.7}
"""Brightness at the far end of the fade, as seen on the screen."""


def sample_lighting(rng: np.random.Generator, name: str | None = None) -> Lighting:
    """Draw a light of this name (a key of LIGHTS), or of any."""
    name = name or str(rng.choice(list(LIGHTS), p=[kind.share for kind in LIGHTS.values()]))
    kind = LIGHTS[name]
    azimuth, height = np.radians([rng.normal(kind.azimuth_deg, 5) * rng.choice([-1, 1]), rng.uniform(22, 42)])
    side = float(np.sin(azimuth))
    strength = kind.key * rng.uniform(0.95, 1.05)
    return Lighting(
        name=name,
        key_direction=(
            side * float(np.cos(height)),
            float(np.sin(height)),
            float(np.cos(azimuth) * np.cos(height)),
        ),
        key=palette.rgb(np.array(kind.tint) * strength),
        fill_direction=(-side * 0.9, 0.15, 0.6),
        fill=palette.rgb(np.array(_NEUTRAL) * kind.fill),
        rim_direction=(-side, 0.45, -0.75),
        rim=palette.rgb(np.ones(3) * rng.uniform(0.8, 1.4)),
        sky=palette.rgb(np.array([0.34, 0.37, 0.42]) * kind.ambient),
        ground=(0.22, 0.18, 0.16),
    )


def sample_clothes(rng: np.random.Generator) -> Clothes:
    """Draw a top."""
    color = str(rng.choice(list(palette.CLOTHES)))
    rgb = palette.linear(_jitter(rng, palette.CLOTHES[color])) * 0.8 + 0.01
    cut = CUTS[rng.choice(len(CUTS), p=CUT_SHARES)]
    is_striped = bool(rng.random() < STRIPED_SHARE)
    if cut == "suit":
        second = palette.linear(palette.CLOTHES["white"]) * 0.85
    elif cut == "hoodie":
        second = np.full(3, 0.55)
    else:
        second = rgb * 0.35 + 0.3
    return Clothes(
        color=color,
        rgb=palette.rgb(rgb),
        second=palette.rgb(second),
        is_striped=is_striped and cut not in ("suit", "hoodie"),
        neckline=float(rng.choice(NECKLINES)),
        v_neck=float(rng.choice(V_NECKS)) * float(cut != "hoodie"),
        cut=cut,
    )


def _jitter(rng: np.random.Generator, color: Rgb) -> Floats:
    """A near shade, so that a colour's name stands for a range."""
    return np.clip(np.array(color) * rng.normal(1, 0.05) + rng.normal(0, 0.02, 3), 0.02, 0.98)
