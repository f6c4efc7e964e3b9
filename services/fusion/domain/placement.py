"""Where the marks of a person go on a candidate, and which of them do not show there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
import numpy.typing as npt

from services.fusion.domain.cover import is_bare
from services.fusion.domain.face import Face
from services.fusion.domain.head_map import FaceMap
from services.fusion.domain.marks import RecurringMark
from services.fusion.domain.structure import FoundMark

Points = npt.NDArray[np.float64]

LEAST_FACING = 0.2
"""Cosine of the steepest angle at which a mark still shows: 78 degrees."""
LEAST_RADIUS_PX = 0.4
_SAME_PLACE, _OF_RADIUS = 0.05, 0.7


class MarkSkip(Enum):
    """Why a mark of the person was not placed; see the proto."""

    TURNED_AWAY = auto()
    COVERED = auto()
    OUTSIDE = auto()
    PRESENT = auto()
    TOO_SMALL = auto()


@dataclass(frozen=True, slots=True)
class PlacedMark:
    """A mark of the person on the candidate, in its pixels; *reason* tells why it is left out, if it is.

    jacobian: (2, 2) row by row: change of the pixel by change of the place on the face.
    """

    mark: RecurringMark
    x_px: float
    y_px: float
    radius_px: float
    jacobian: tuple[float, float, float, float]
    reason: MarkSkip | None = None


def place_marks(
    marks: Sequence[RecurringMark],
    face: Face,
    to_face: FaceMap,
    size_px: tuple[int, int],
    present: Sequence[FoundMark],
) -> list[PlacedMark]:
    """Each of *marks* at its place on *face*, in their order.

    Args:
        marks: of the person.
        face: of the candidate.
        to_face: its map.
        size_px: width and height of the candidate.
        present: marks that the candidate shows already; each stands for one mark only.
    """
    if not marks:
        return []
    places = np.array([(mark.x, mark.y) for mark in marks])
    pixels, slopes = to_face.project(places), to_face.jacobian(places)
    radii_px = np.array([mark.radius for mark in marks]) * to_face.scale_px
    reasons: list[MarkSkip | None] = [None] * len(marks)
    checks = (
        (MarkSkip.OUTSIDE, ~_inside(pixels, size_px)),
        (MarkSkip.TURNED_AWAY, to_face.facing(places) < LEAST_FACING),
        (MarkSkip.COVERED, ~is_bare(face, pixels, _cover_radii(marks, radii_px))),
        (MarkSkip.TOO_SMALL, radii_px < LEAST_RADIUS_PX),
        (MarkSkip.PRESENT, _already_there(pixels, radii_px, present, _SAME_PLACE * to_face.scale_px)),
    )
    for reason, applies in checks:
        reasons = [known or (reason if new else None) for known, new in zip(reasons, applies, strict=True)]
    return [
        PlacedMark(mark, float(pixel[0]), float(pixel[1]), float(radius), _four(slope), reason)
        for mark, pixel, radius, slope, reason in zip(marks, pixels, radii_px, slopes, reasons, strict=True)
    ]


def _inside(pixels: Points, size_px: tuple[int, int]) -> npt.NDArray[np.bool_]:
    return np.asarray(((pixels >= 0) & (pixels < size_px)).all(1))


def _cover_radii(marks: Sequence[RecurringMark], radii_px: Points) -> Points:
    """Of a scar a half: its ends may lie under a strand of hair."""
    return radii_px * np.where([mark.kind == "scar" for mark in marks], 0.5, 1.0)


def _already_there(
    pixels: Points, radii_px: Points, present: Sequence[FoundMark], reach_px: float
) -> npt.NDArray[np.bool_]:
    """(N,): whether one of *present* is the mark; nearest pairs first, each used once."""
    there = np.zeros(len(pixels), np.bool_)
    if not present:
        return there
    found = np.array([(mark.x_px, mark.y_px) for mark in present])
    distance = np.linalg.norm(pixels[:, None] - found, axis=-1)
    distance[distance > np.maximum(reach_px, _OF_RADIUS * radii_px)[:, None]] = np.inf
    while np.isfinite(distance).any():
        row, column = np.unravel_index(int(distance.argmin()), distance.shape)
        there[row] = True
        distance[row], distance[:, column] = np.inf, np.inf
    return there


def _four(slope: Points) -> tuple[float, float, float, float]:
    a, b, c, d = (float(v) for v in slope.ravel())
    return a, b, c, d
