"""What a character is: everything that stays the same from one picture of it to the next."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Rgb = tuple[float, float, float]
"""Linear light, each in [0, 1]."""

Sex = Literal["female", "male"]
BeardStyle = Literal["none", "stubble", "moustache", "goatee", "full"]
BEARDS: tuple[BeardStyle, ...] = ("none", "stubble", "moustache", "goatee", "full")
MarkKind = Literal["mole", "freckle", "scar"]


@dataclass(frozen=True)
class Body:
    """MakeHuman's macro controls. Range [0, 1]; gender 0 is female; age .6 is young, 1 is about 90 years."""

    gender: float
    age: float
    muscle: float
    weight: float
    proportions: float
    african: float
    asian: float
    caucasian: float

    @property
    def sex(self) -> Sex:
        """The nearer of the two ends of `gender`."""
        return "female" if self.gender < 0.5 else "male"


@dataclass(frozen=True)
class Brows:
    """Eyebrow drawing: relative thickness, arch, height, length, density, tilt (0 or 1 is the average)."""

    thickness: float
    arch: float
    height: float
    length: float
    density: float
    tilt: float
    color: Rgb


@dataclass(frozen=True)
class Mark:
    """A mole, freckle or scar at (x, y) of the neutral head, decimetres.

    radius: decimetres; of a scar half its length. angle: of a scar, radians from the x axis.
    strength: darkness in [0, 1].
    """

    kind: MarkKind
    x: float
    y: float
    radius: float
    strength: float = 1.0
    angle: float = 0.0


@dataclass(frozen=True)
class Skin:
    """Colour and marks. `melanin`: 0 is the lightest, 1 the darkest; `undertone` < 0 is cool, > 0 warm.

    marks: numbered by their place in the tuple, the same in every picture. lip_color, makeup: strength of
    `lipstick` and `eyeshadow`. pores: roughness in [0, 1]. lines: strength of the wrinkles in [0, 1].
    """

    melanin: float
    redness: float
    undertone: float
    marks: tuple[Mark, ...]
    lip_color: float
    lipstick: Rgb
    makeup: float
    eyeshadow: Rgb
    pores: float
    lines: float

    @property
    def has_freckles(self) -> bool:
        """True for people whom a caption calls freckled."""
        return any(mark.kind == "freckle" for mark in self.marks)

    @property
    def has_scar(self) -> bool:
        """True for people with a scar."""
        return any(mark.kind == "scar" for mark in self.marks)


@dataclass(frozen=True)
class Hair:
    """A haircut (a name from starter.heads.hair.names) in a named colour with its exact shade.

    tips: colour of the ends of the strands.
    """

    style: str
    color: str
    rgb: Rgb
    tips: Rgb


@dataclass(frozen=True)
class Identity:
    """One character. `seed` drives the strokes and strands that no slider controls.

    `sliders` maps names of starter.heads.sliders to weights in [-1, 1], `asymmetry` to weights in [0, .3].
    `hair` is the usual haircut; a view may wear another. Glasses, hats, clothes and pose belong to the view.
    """

    body: Body
    sliders: Mapping[str, float]
    asymmetry: Mapping[str, float]
    skin: Skin
    hair: Hair
    brows: Brows
    eye_color: str
    beard: BeardStyle
    seed: int
