"""What the small nets find out about a face; values alone. Conventions as in `faces`."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt


class FaceFeature(Enum):
    """What is found out on request alone."""

    STRUCTURE = "structure"
    MARKS = "marks"


@dataclass(frozen=True, eq=False)
class DenseLandmarks:
    """Points all over a face.

    Attributes:
        scheme: what fixes their number, order and meaning, such as "likeness-106".
        points_px: (K, 2) float32 pixels of the picture; hidden points are estimated and may lie outside.
        visibility: (K,) float32, the chance that nothing hides the point, in [0, 1].
    """

    scheme: str
    points_px: npt.NDArray[np.float32]
    visibility: npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class PartMap:
    """Which part of a person each pixel of a square shows.

    Attributes:
        labels: (S, S) uint8, positions in *names*.
        box_px: the square in the picture; may reach outside.
        names: such as "background", "skin", "hair".
    """

    labels: npt.NDArray[np.uint8]
    box_px: tuple[float, float, float, float]
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Structure:
    """Dense landmarks and part map of one face."""

    landmarks: DenseLandmarks
    parts: PartMap


@dataclass(frozen=True)
class SkinMark:
    """A mole, a freckle or a scar.

    Attributes:
        kind: in lower case, such as "mole".
        x_px: its centre in the picture.
        y_px: its centre in the picture.
        radius_px: over 0; of a scar half its length.
        confidence: in [0, 1].
    """

    kind: str
    x_px: float
    y_px: float
    radius_px: float
    confidence: float


@dataclass(frozen=True)
class JudgedQuality:
    """What a net thinks of the picture of a face, whatever its pose.

    Attributes:
        quality: in [0, 1]; 1 is flawless.
        defects: strength in [0, 1] by kind of defect; 0 is none.
    """

    quality: float
    defects: Mapping[str, float]
