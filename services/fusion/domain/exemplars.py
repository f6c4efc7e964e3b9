"""Which photos lend a mark its looks, and how their pixels map to the candidate's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.fusion.domain.face import Face
from services.fusion.domain.head_map import FaceMap
from services.fusion.domain.marks import Sighting
from services.fusion.domain.placement import PlacedMark

Slope = npt.NDArray[np.float64]

MOST_EXEMPLARS = 3
_WORTH_OF_BEST = 0.5


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A mark as one photo shows it, for painting.

    Attributes:
        photo: number of the photo.
        x_px, y_px: the mark's centre in it.
        radius_px: its radius there; of a scar half its length.
        linear: (2, 2) row by row: pixels of the photo by pixels of the candidate, around the two centres;
            turn, size and foreshortening are in it.
        worth: size times sharpness times frontality, larger is better.
    """

    photo: int
    x_px: float
    y_px: float
    radius_px: float
    linear: tuple[float, float, float, float]
    worth: float


@dataclass(frozen=True, slots=True)
class Stroke:
    """A mark to paint, and the photos to take its looks from, the best first."""

    placed: PlacedMark
    exemplars: tuple[Exemplar, ...]


def strokes(placed: Sequence[PlacedMark], maps: Sequence[FaceMap], faces: Sequence[Face]) -> list[Stroke]:
    """A stroke for each of *placed*; *maps* and *faces* are of the photos that the marks were seen in.

    Beside the best photo of a mark others serve that are at least half as good: their mean has less grain.
    """
    slopes = _slopes_in_photos(placed, maps)
    found = []
    for k, mark in enumerate(placed):
        known = [
            _exemplar(mark, number, sighting, maps[number], faces[number], slopes[number, k])
            for number, sighting in mark.mark.sightings.items()
        ]
        known.sort(key=lambda exemplar: (-exemplar.worth, exemplar.photo))
        least = _WORTH_OF_BEST * known[0].worth
        found.append(Stroke(mark, tuple(e for e in known[:MOST_EXEMPLARS] if e.worth >= least)))
    return found


def _slopes_in_photos(placed: Sequence[PlacedMark], maps: Sequence[FaceMap]) -> dict[tuple[int, int], Slope]:
    """Change of the photo's pixel by change of the place, by photo and position in *placed*."""
    slopes: dict[tuple[int, int], Slope] = {}
    for number, to_face in enumerate(maps):
        seen = [k for k, mark in enumerate(placed) if number in mark.mark.sightings]
        places = np.array([(placed[k].mark.x, placed[k].mark.y) for k in seen]).reshape(-1, 2)
        slopes |= {(number, k): slope for k, slope in zip(seen, to_face.jacobian(places), strict=True)}
    return slopes


def _exemplar(  # all that is known of one sighting
    mark: PlacedMark,
    number: int,
    sighting: Sighting,
    to_face: FaceMap,
    face: Face,
    slope: Slope,
) -> Exemplar:
    linear = slope @ np.linalg.inv(np.array(mark.jacobian).reshape(2, 2))
    sharpness = 1.0 if face.sharpness is None else 0.3 + 0.7 * face.sharpness
    worth = to_face.scale_px * sharpness * max(sighting.facing, 0.1) * max(sighting.confidence, 0.05)
    a, b, c, d = (float(v) for v in linear.ravel())
    return Exemplar(number, *sighting.px, sighting.radius * to_face.scale_px, (a, b, c, d), worth)
