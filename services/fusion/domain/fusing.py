"""What may be asked of a fusion."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from services.fusion.domain.face import Face, Image


class BlendMode(Enum):
    """How the warped template is joined to the candidate."""

    PYRAMID = "pyramid"
    POISSON = "poisson"


class WarpMode(Enum):
    """How the template is brought to the candidate's geometry.

    SIMILARITY turns, scales and shifts it, hence keeps its proportions and its pose. LANDMARKS moves each of
    its landmarks onto the candidate's, hence takes pose, expression and proportions of the candidate. POSED
    turns its own shape into the candidate's pose and expression and bends the candidate's face onto it,
    hence keeps the person's proportions; without dense landmarks it is LANDMARKS.
    """

    SIMILARITY = "similarity"
    LANDMARKS = "landmarks"
    POSED = "posed"


@dataclass(frozen=True, slots=True)
class RegionWeights:
    """How much of the template each region takes, each in [0, 1]; multiplied by the strength.

    By default the eyes become the person's own and the candidate keeps its mouth, hence its expression; a
    skin that is pasted wholly looks like a mask.
    """

    eyes: float = 1.0
    skin: float = 0.6
    lips: float = 0.0


DEFAULT_WARP = WarpMode.POSED
"""The one that raises the similarity of portraits most; README, "Fuse"."""


@dataclass(frozen=True, slots=True)
class FuseOptions:
    """Settings of one fusion; *strength* in [0, 1], where 0 leaves the candidate's pixels untouched."""

    strength: float = 1.0
    weights: RegionWeights = field(default_factory=RegionWeights)
    blend: BlendMode = BlendMode.PYRAMID
    warp: WarpMode = DEFAULT_WARP


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A reference photo with the face in it that is meant."""

    name: str
    image: Image
    face: Face
