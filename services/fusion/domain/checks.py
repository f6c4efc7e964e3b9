"""Checks for artefacts: each is a number in [0, 1], 1 flawless, and 0 refuses the candidate."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a candidate.

    Attributes:
        name: such as "eye_symmetry"; the proto lists them.
        score: in [0, 1]; 1 is flawless, 0 severe.
        problem: what a score of 0 means, to follow "the picture is unfit:".
        refuses: whether a score of 0 refuses the candidate.
    """

    name: str
    score: float
    problem: str
    refuses: bool = True

    @property
    def is_severe(self) -> bool:
        """True where the candidate must not leave."""
        return self.refuses and self.score <= 0


@dataclass(frozen=True, slots=True)
class Scale:
    """What is still flawless and what is severe; *severe* may be the smaller one."""

    flawless: float
    severe: float

    def score(self, value: float) -> float:
        """In [0, 1], straight between the two; 0 for what is not a number."""
        share = (self.severe - value) / (self.severe - self.flawless)
        return min(max(share, 0.0), 1.0) if math.isfinite(share) else 0.0


def worst_first(checks: Iterable[Check]) -> tuple[Check, ...]:
    """In order of score; equal ones by name."""
    return tuple(sorted(checks, key=lambda check: (check.score, check.name)))


def size_check(size_px: float, min_face_px: float) -> Check:
    """Of the face's size: 1 from twice the least on. The least itself is a refusal of its own."""
    score = 1.0 if min_face_px <= 0 else Scale(2 * min_face_px, 0.0).score(size_px)
    return Check("face_size", score, "its face is too small", refuses=False)


def count_check(count: int) -> Check:
    """Of the number of faces: 1 for one. Whether another number is refused is decided elsewhere."""
    return Check("face_count", float(count == 1), "it does not show exactly one face", refuses=False)


_SHARPNESS = Scale(0.6, 0.08)
"""Of face analysis's measure: sharp renders have .82 to .97, blurred by 2 % of the picture .01 to .05."""


def sharpness_check(sharpness: float) -> Check:
    """Of the sharpness that face analysis measured, in [0, 1]."""
    return Check("sharpness", _SHARPNESS.score(sharpness), "its face is blurred")


_CLIPPED, _FLAT = Scale(0.02, 0.2), Scale(0.25, 0.6)
"""Shares of the face's pixels. Renders: none clipped; flat .14 at most, as JPEG of quality 10 up to .29."""


def clipped_check(share: float) -> Check:
    """Of the share of the face that is pure white or black."""
    return Check("clipped", _CLIPPED.score(share), "its face is blown out or black")


def flat_check(share: float) -> Check:
    """Of the share of the face without any texture."""
    return Check("flat", _FLAT.score(share), "its face is a flat area")


# Of the strengths that the starter's quality net reads. Clean renders have at most .26 distortion, .08
# exposure, .03 noise, .11 blur and .19 compression; faces with features torn apart .69 distortion in the
# median, three stops of wrong exposure .74, grain of 45 levels .72.
_DEFECTS = {
    "distortion": Scale(0.25, 0.72),
    "exposure": Scale(0.2, 0.72),
    "noise": Scale(0.2, 0.80),
    "blur": Scale(0.2, 0.90),
    "compression": Scale(0.2, 0.60),
}
_OTHER_DEFECT = Scale(0.3, 1.0)
_REFUSING = ("distortion", "exposure", "noise")


def defect_check(kind: str, strength: float) -> Check:
    """Of one defect that the quality net judged, strength in [0, 1].

    Blur and compression lower the score but refuse nothing: small generators paint soft faces, and a soft
    portrait of the right person beats none.
    """
    scale = _DEFECTS.get(kind, _OTHER_DEFECT)
    problem = f"the quality net finds {kind}"
    return Check(f"defect:{kind}", scale.score(strength), problem, refuses=kind in _REFUSING)
