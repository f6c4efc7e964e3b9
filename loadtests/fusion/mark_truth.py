"""Restored marks against the true ones: which is which, how far off, and of what colour."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from likeness.common.v1 import face_pb2
from likeness.fusion.v1 import fusion_pb2 as pb
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from loadtests.fusion.mark_pairs import Pair
from starter.data.manifest import Mark, Sample
from starter.data.portraits import read_rgb
from starter.data.spots import is_shown
from starter.heads.parts import Part

Floats = NDArray[np.float64]
NEAR_SHARE = 0.04
"""A restored mark is right within this share of the distance between the pupils in the picture."""
FOUND_SHARE = 0.03
"""A found mark is right within this share."""
_LOST_SHARE = 0.12
_BARE = {int(part) for part in (Part.SKIN, Part.LIPS, Part.NECK, Part.EARS)}


@dataclass(frozen=True)
class Restored:
    """One true mark of a portrait and what came of it.

    Attributes:
        kind: "mole", "freckle" or "scar".
        shown_in: number of references that show it: nothing hides it and it stands out from the grain.
        is_visible: whether nothing hides it on the portrait.
        off: distance from the true place, as a share of that between the pupils; None where not placed.
        colour_off: CIE76 difference from its true colour, mean over its disc; None likewise.
        colour_before: the same without restoring.
    """

    kind: str
    shown_in: int
    is_visible: bool
    off: float | None
    colour_off: float | None
    colour_before: float

    @property
    def is_near(self) -> bool:
        """Whether it was placed, and near enough."""
        return self.off is not None and self.off <= NEAR_SHARE


def eye_distance(sample: Sample) -> float:
    """Returns the distance between the pupils in the picture, in pixels."""
    return float(np.hypot(*np.subtract(sample.landmarks_px["left_eye"], sample.landmarks_px["right_eye"])))


def shown(sample: Sample) -> list[bool]:
    """Returns for each mark whether the picture shows it."""
    light = lab(read_rgb(sample))[..., 0].astype(np.float32)
    return [mark.is_visible and is_shown(light, mark.px, mark.radius_px) for mark in sample.marks]


def lab(rgb: NDArray[np.uint8]) -> Floats:
    """Returns CIELAB (H, W, 3)."""
    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float64)


def compare(
    pair: Pair, shown_in: Sequence[int], placed: Sequence[pb.RestoredMark], restored: NDArray[np.uint8]
) -> list[Restored]:
    """Returns what came of each true mark; one-to-one, nearest pairs first in sum."""
    true, sample = pair.sample.marks, pair.sample
    partner = _partners(true, placed, _LOST_SHARE * eye_distance(sample))
    truth, bare, result = lab(pair.truth_rgb), lab(pair.bare_rgb), lab(restored)
    outcomes = []
    for number, mark in enumerate(true):
        colour = _disc(truth, mark.px, _reach(mark))
        before = float(np.linalg.norm(_disc(bare, mark.px, _reach(mark)) - colour))
        off = colour_off = None
        if number in partner:
            place = placed[partner[number]].center.x, placed[partner[number]].center.y
            off = float(np.hypot(*np.subtract(place, mark.px))) / eye_distance(sample)
            colour_off = float(np.linalg.norm(_disc(result, place, _reach(mark)) - colour))
        outcomes.append(Restored(mark.kind, shown_in[number], mark.is_visible, off, colour_off, before))
    return outcomes


def on_cover(pair: Pair, placed: Sequence[pb.RestoredMark]) -> int:
    """Returns how many were pasted where the portrait shows no bare skin: on hair, glasses, brows, ..."""
    parts = pair.parts
    height, width = parts.shape
    rows = [min(max(int(mark.center.y), 0), height - 1) for mark in placed]
    columns = [min(max(int(mark.center.x), 0), width - 1) for mark in placed]
    return sum(int(parts[row, column]) not in _BARE for row, column in zip(rows, columns, strict=True))


def strangers(pair: Pair, placed: Sequence[pb.RestoredMark]) -> int:
    """Returns how many of the placed marks are near none of the person's, each of which counts once."""
    reach = _LOST_SHARE * eye_distance(pair.sample)
    return len(placed) - len(_partners(pair.sample.marks, placed, reach))


def found_in(sample: Sample, face: face_pb2.Face) -> tuple[int, int, int]:
    """Returns marks found rightly, marks found at all, and marks that the picture shows.

    Right is within 3 % of the distance between the pupils. Finding one that the renderer knows of but that is
    lost in the grain counts neither way, as in the card of the net.
    """
    visible = [mark for mark in sample.marks if mark.is_visible]
    is_plain = [flag for mark, flag in zip(sample.marks, shown(sample), strict=True) if mark.is_visible]
    partner = _partners(visible, face.marks, FOUND_SHARE * eye_distance(sample))
    right = sum(is_plain[number] for number in partner)
    faint = len(partner) - right
    return right, len(face.marks) - faint, sum(is_plain)


def _partners(
    true: Sequence[Mark], found: Sequence[pb.RestoredMark] | Sequence[face_pb2.SkinMark], reach_px: float
) -> dict[int, int]:
    """True mark -> found mark, at most *reach_px* apart."""
    if not true or not found:
        return {}
    places = np.array([(mark.center.x, mark.center.y) for mark in found])
    distance = np.linalg.norm(np.array([mark.px for mark in true])[:, None] - places, axis=-1)
    rows, columns = linear_sum_assignment(np.where(distance <= reach_px, distance, 1e6))
    return {int(r): int(c) for r, c in zip(rows, columns, strict=True) if distance[r, c] <= reach_px}


def _reach(mark: Mark) -> float:
    """Radius over which its colour is averaged; of a scar its half width."""
    return 1.5 if mark.kind == "scar" else max(mark.radius_px, 1.0)


def _disc(picture: Floats, place: tuple[float, float], radius: float) -> Floats:
    """Mean (3,) over a disc whose rim is shared out by the pixel."""
    y, x = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]] + 0.5
    weight = np.clip(radius + 0.5 - np.hypot(x - place[0], y - place[1]), 0, 1)
    return np.asarray((picture * weight[..., None]).sum((0, 1)) / max(weight.sum(), 1e-9))
