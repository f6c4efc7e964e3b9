"""The structure of a face: dense landmarks, which part each pixel shows, and what lies over the skin."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
SCHEME = "likeness-106"
"""The scheme of dense landmarks whose meaning this service knows; faces in others count as having none."""


@dataclass(frozen=True, slots=True, eq=False)
class DenseLandmarks:
    """Landmarks of `SCHEME`, in the order of `mean_face().names`.

    Attributes:
        points: (106, 2) float32 pixels; hidden ones are estimated and may lie outside.
        visibility: (106,) float32 in [0, 1]: the chance that nothing hides the point.
    """

    points: FloatArray
    visibility: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class PartMap:
    """Which part of a person each pixel of a square of the picture shows.

    Attributes:
        labels: (S, S) uint8, positions in *names*.
        box_px: x0, y0, x1, y1 of the square in the picture; may reach outside.
        names: such as "background", "skin", "hair", "glasses".
    """

    labels: npt.NDArray[np.uint8]
    box_px: tuple[float, float, float, float]
    names: tuple[str, ...]

    def share_of(self, parts: Sequence[str]) -> npt.NDArray[np.bool_]:
        """(S, S) bool: where one of the parts is; names that the map does not know are nowhere."""
        return np.array([name in parts for name in self.names], np.bool_)[self.labels]


@dataclass(frozen=True, slots=True)
class FoundMark:
    """A mark of the skin that face analysis found, in pixels of the picture."""

    kind: str
    x_px: float
    y_px: float
    radius_px: float
    confidence: float


@dataclass(frozen=True, eq=False)
class MeanFace:
    """The mean head of the starter's characters, looking ahead without expression.

    Attributes:
        names: names of the landmarks.
        points: (106, 3) float64 in distances between the pupils, from the middle between them; x to the
            viewer's right, y downwards, z towards the viewer.
        spread: (106,) standard deviation over characters, in the same unit.
        triangles: (T, 3) indices: the front of the face, without the rim inside of the lips.
    """

    names: tuple[str, ...]
    points: npt.NDArray[np.float64]
    spread: npt.NDArray[np.float64]
    triangles: npt.NDArray[np.int64]

    def indices(self, *prefixes: str) -> npt.NDArray[np.int64]:
        """Numbers of the landmarks whose name begins with one of the prefixes."""
        return np.array([i for i, name in enumerate(self.names) if name.startswith(prefixes)], np.int64)


@cache
def mean_face() -> MeanFace:
    """The mean face, from the file beside this one (`python -m starter.heads.mean_face` writes it)."""
    data = json.loads(Path(__file__).with_name("mean_face.json").read_text("utf-8"))
    return MeanFace(
        tuple(data["names"]),
        np.array(data["points"], np.float64),
        np.array(data["spread"], np.float64),
        np.array(data["triangles"], np.int64),
    )
