"""Marks of the skin (moles, dark or red spots) and the rule that a mark must recur."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark in the coordinates of the face, which no pose in the plane changes.

    Attributes:
        x: along the eyes, 0 between them; the unit is the face frame's (about the eye distance).
        y: towards the mouth.
        radius: in the same unit.
        lightness_ratio: lightness of the mark over that of the skin around it, in (0, 1).
        delta_a: difference to the skin in LAB a (green to red), in LAB units.
        delta_b: difference to the skin in LAB b (blue to yellow), in LAB units.
        confidence: in [0, 1].
    """

    x: float
    y: float
    radius: float
    lightness_ratio: float
    delta_a: float
    delta_b: float
    confidence: float

    def distance_to(self, other: Mark) -> float:
        """Distance of the two centres in face units."""
        return math.hypot(self.x - other.x, self.y - other.y)


@dataclass(frozen=True, slots=True)
class RestoredMark:
    """A mark that was placed on a candidate, in its pixels."""

    x_px: float
    y_px: float
    radius_px: float
    confidence: float
    seen_in: int
    already_there: bool


@dataclass(frozen=True, slots=True)
class RecurringMark:
    """The mean of one mark's sightings, and in how many references it was seen."""

    mark: Mark
    seen_in: int


def recurring_marks(
    sightings: Sequence[Sequence[Mark]], *, tolerance: float = 0.09, required: int = 2
) -> list[RecurringMark]:
    """Keep the marks that at least *required* references show within *tolerance* face units.

    Dust, noise and shadows do not recur at the same place of a face; moles do. Sightings are joined
    greedily, the most confident first; one reference adds at most one sighting to a mark. The result is
    ordered by confidence.
    """
    order = sorted(
        ((mark, index) for index, marks in enumerate(sightings) for mark in marks),
        key=lambda pair: (-pair[0].confidence, pair[0].x, pair[0].y, pair[1]),
    )
    groups: list[dict[int, Mark]] = []
    for mark, index in order:
        near = [g for g in groups if index not in g and _centre(g).distance_to(mark) <= tolerance]
        if near:
            min(near, key=lambda g: _centre(g).distance_to(mark))[index] = mark
        else:
            groups.append({index: mark})
    kept = [
        RecurringMark(_mean(group, len(sightings)), len(group)) for group in groups if len(group) >= required
    ]
    return sorted(kept, key=lambda r: (-r.mark.confidence, r.mark.x, r.mark.y))


def _centre(group: dict[int, Mark]) -> Mark:
    return next(iter(group.values()))


def _mean(group: dict[int, Mark], references: int) -> Mark:
    """Mean over the sightings; the confidence grows with the share of references that show the mark."""
    marks, n = list(group.values()), len(group)

    def mean(name: str) -> float:
        return math.fsum(getattr(m, name) for m in marks) / n

    share = n / max(references, 1)
    return Mark(
        mean("x"),
        mean("y"),
        mean("radius"),
        mean("lightness_ratio"),
        mean("delta_a"),
        mean("delta_b"),
        min(1.0, mean("confidence") * (0.5 + 0.5 * share)),
    )
