"""Rules of fusion: what may be asked for, and which template is taken."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from services.fusion.domain.face import Face, Image


class BlendMode(Enum):
    """How the warped template is joined to the candidate."""

    PYRAMID = "pyramid"
    POISSON = "poisson"


class WarpMode(Enum):
    """How the template is brought to the candidate's geometry.

    SIMILARITY keeps the template's proportions, hence the identity; LANDMARKS also moves each landmark onto
    the candidate's, hence keeps pose and expression of the candidate.
    """

    SIMILARITY = "similarity"
    LANDMARKS = "landmarks"


@dataclass(frozen=True, slots=True)
class RegionWeights:
    """How much of the template each region takes, each in [0, 1]; multiplied by the strength."""

    eyes: float = 1.0
    skin: float = 1.0
    lips: float = 1.0


@dataclass(frozen=True, slots=True)
class FuseOptions:
    """Settings of one fusion; *strength* in [0, 1], where 0 leaves the candidate's pixels untouched."""

    strength: float = 1.0
    weights: RegionWeights = field(default_factory=RegionWeights)
    blend: BlendMode = BlendMode.PYRAMID
    warp: WarpMode = WarpMode.SIMILARITY


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A reference photo with its only face."""

    name: str
    image: Image
    face: Face


# A template turned 15 degrees away from the candidate is worth exp(-1/2) of one that looks the same way.
_POSE_SIGMA_DEG = 15.0


def pose_similarity(first: Face, second: Face) -> float:
    """Exp of the negative squared pose difference, in (0, 1]; symmetric; 1 for equal poses."""
    turn, nod = first.yaw_deg - second.yaw_deg, first.pitch_deg - second.pitch_deg
    return math.exp(-(turn * turn + nod * nod) / (2 * _POSE_SIGMA_DEG**2))


def choose_template(candidate: Face, templates: Sequence[Template]) -> int:
    """Index of the template with the largest pose similarity times quality; the first one on a tie.

    Quality enters as (1 + q) / 2: a blurred photo in the right pose still beats a crisp one turned away.
    """
    scores = [pose_similarity(candidate, t.face) * (1 + t.face.quality) / 2 for t in templates]
    return max(range(len(scores)), key=lambda i: (scores[i], -i))
