"""Marks of the skin (moles, freckles, scars) over several photos, and the rule that a mark must recur."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
_LEAST_SHARE, _OF_LENGTH = 0.25, 0.3


@dataclass(frozen=True, slots=True)
class Sighting:
    """A mark as one photo shows it.

    Attributes:
        kind: "mole", "freckle", "scar", or "spot" of the classical finder.
        x, y: its place on the face, in the units of `FaceMap`.
        radius: in the same unit; of a scar half its length.
        confidence: the finder's, in [0, 1].
        facing: cosine of the angle at which the photo shows it.
        px: where it is in the photo.
    """

    kind: str
    x: float
    y: float
    radius: float
    confidence: float
    facing: float = 1.0
    px: tuple[float, float] = (0.0, 0.0)

    @property
    def weight(self) -> float:
        """Say in the mean: a place seen at a grazing angle is uncertain."""
        return max(self.confidence, 0.05) * max(self.facing, 0.1) ** 2


class Photo(Protocol):
    """A photo of the person, as far as the rule needs it."""

    @property
    def sightings(self) -> Sequence[Sighting]:
        """The marks that were found in it."""
        ...

    @property
    def tolerance(self) -> float:
        """How far apart it may seem to show a mark from where another photo does, in units."""
        ...

    def shows(self, places: Points, radii: Points) -> npt.NDArray[np.bool_]:
        """(N,): whether the skin at *places* (N, 2), *radii* (N,) around, can be seen in it."""
        ...


@dataclass(frozen=True, slots=True)
class RecurringMark:
    """A mark that photos agree on.

    Attributes:
        kind, x, y, radius: as in `Sighting`; means over the sightings, those from the front counting most.
        confidence: in [0, 1]: that some finder is right, times the share of photos that show the place and
            agree.
        sightings: by number of the photo.
        shown_in: number of photos that show the place, with or without the mark.
    """

    kind: str
    x: float
    y: float
    radius: float
    confidence: float
    sightings: dict[int, Sighting]
    shown_in: int

    @property
    def seen_in(self) -> int:
        """Number of photos that show it."""
        return len(self.sightings)


def recurring_marks(photos: Sequence[Photo]) -> list[RecurringMark]:
    """The marks that at least two of the photos that show their place agree on, the most confident first.

    Where only one photo shows the place, its word is enough; where very many do, a quarter of them must
    agree. Dust, noise and shadows do not recur at the same place of a face; moles do.
    """
    groups = _joined(photos)
    if not groups:
        return []
    means = np.array([_mean(group) for group in groups])
    shown = np.stack([photo.shows(means[:, :2], means[:, 2]) for photo in photos])
    kept = []
    for k, group in enumerate(groups):
        # What was seen was shown, whatever the part map says.
        shown_in = int(shown[:, k].sum()) + sum(not shown[number, k] for number in group)
        if len(group) >= min(max(2, math.ceil(_LEAST_SHARE * shown_in)), shown_in):
            kept.append(_agreed(group, shown_in))
    return sorted(kept, key=lambda mark: (-mark.confidence, mark.x, mark.y))


def _joined(photos: Sequence[Photo]) -> list[dict[int, Sighting]]:
    """Sightings of one mark together, by photo; a photo adds at most one to each.

    Greedily, the surest sightings first; a sighting joins the nearest group within the tolerance.
    """
    order = sorted(
        ((sighting, number) for number, photo in enumerate(photos) for sighting in photo.sightings),
        key=lambda pair: (-pair[0].weight, pair[0].x, pair[0].y, pair[1], *_rest(pair[0])),
    )
    groups: list[dict[int, Sighting]] = []
    # Of each group: weighted sum of the places, sum of weights, reach, and which photos it has.
    sums, weights, reaches = np.zeros((len(order), 2)), np.zeros(len(order)), np.zeros(len(order))
    has = np.zeros((len(order), len(photos)), np.bool_)
    for sighting, number in order:
        place, n = np.array([sighting.x, sighting.y]), len(groups)
        # The middle of a scar is found less exactly than that of a dot.
        reach = max(photos[number].tolerance, _OF_LENGTH * sighting.radius)
        distance = np.linalg.norm(sums[:n] / weights[:n, None] - place, axis=1)
        distance[has[:n, number] | (distance > np.maximum(reaches[:n], reach))] = np.inf
        k = int(distance.argmin()) if n and np.isfinite(distance).any() else n
        if k == n:
            groups.append({})
        groups[k][number] = sighting
        sums[k] += sighting.weight * place
        weights[k] += sighting.weight
        reaches[k] = max(reaches[k], reach)
        has[k, number] = True
    return groups


def _rest(sighting: Sighting) -> tuple[float, str, float, float, tuple[float, float]]:
    """What orders sightings of one photo that weigh the same at one place: weights have a floor."""
    return -sighting.confidence, sighting.kind, sighting.radius, sighting.facing, sighting.px


def _mean(group: dict[int, Sighting]) -> tuple[float, float, float]:
    """Weighted x, y and radius."""
    total = math.fsum(s.weight for s in group.values())
    x = math.fsum(s.weight * s.x for s in group.values()) / total
    y = math.fsum(s.weight * s.y for s in group.values()) / total
    return x, y, math.fsum(s.weight * s.radius for s in group.values()) / total


def _agreed(group: dict[int, Sighting], shown_in: int) -> RecurringMark:
    say: dict[str, float] = defaultdict(float)
    doubt = 1.0
    for sighting in group.values():
        say[sighting.kind] += sighting.confidence
        doubt *= 1 - sighting.confidence
    x, y, radius = _mean(group)
    confidence = (1 - doubt) * len(group) / shown_in
    kind = max(say, key=lambda name: (say[name], name))
    return RecurringMark(kind, x, y, radius, confidence, group, shown_in)
