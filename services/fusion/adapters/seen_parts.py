"""A face's part map as seen from the pixels of a crop."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from services.fusion.adapters.face_warp import Maps
from services.fusion.domain.face import Face, FloatArray
from services.fusion.domain.occluders import bare_face
from services.fusion.domain.structure import PartMap

Bools = npt.NDArray[np.bool_]
_ISLAND = 0.006
"""Share of the map up to which hair that hangs on nothing is none."""


@dataclass(frozen=True, slots=True, eq=False)
class SeenParts:
    """A part map, and where each pixel of the crop lies in it.

    Lengths are in eye distances, of which one has *unit* pixels of the crop.
    """

    parts: PartMap
    x: FloatArray
    y: FloatArray
    unit: float

    @classmethod
    def of(cls, face: Face, maps: Maps, unit: float, *, cleaned: bool = False) -> SeenParts | None:
        """None without a part map; *maps* lead into the pixels that *face* is given in.

        *cleaned* takes small islands of hair for doubts of the net: right for a candidate, where an island
        would keep a blot; wrong for a template, whose single strands must not come along.
        """
        if face.parts is None:
            return None
        x0, y0, x1, y1 = face.parts.box_px
        rows, columns = face.parts.labels.shape
        across, down = columns / (x1 - x0), rows / (y1 - y0)
        x, y = (maps[0] + (0.5 - x0)) * across - 0.5, (maps[1] + (0.5 - y0)) * down - 0.5
        parts = without_islands(face.parts) if cleaned else face.parts
        return cls(parts, x.astype(np.float32), y.astype(np.float32), unit)

    def sampled(self, where: Bools) -> FloatArray:
        """(H, W) float32 in [0, 1]: a mask of the map, in the crop; 0 outside of the map."""
        mask = where.astype(np.uint8) * 255
        seen = cv2.remap(mask, self.x, self.y, cv2.INTER_LINEAR, borderValue=0)
        return np.asarray(seen * np.float32(1 / 255), np.float32)

    def within(self, where: Bools, edge: float, feather: float) -> FloatArray:
        """(H, W): 0 outside of a mask of the map and up to *edge* inside, 1 a *feather* further in."""
        return ramp((self.sampled(where) > 0.5).astype(np.uint8), edge, feather, self.unit)

    def away_from(self, names: tuple[str, ...], edge: float, feather: float) -> FloatArray | None:
        """(H, W): 0 up to *edge* from parts of these names, 1 a *feather* further; None without any."""
        where = self.parts.share_of(names)
        if not where.any():
            return None
        free = (self.sampled(where) < 0.5).astype(np.uint8)
        return ramp(free, edge, feather, self.unit, at_border=1)


def without_islands(parts: PartMap) -> PartMap:
    """The map with small islands of everything but glasses taken for skin."""
    over = ~bare_face(parts, with_beard=True) & ~parts.share_of(("glasses", "metal"))
    count, islands, stats, _ = cv2.connectedComponentsWithStats(over.astype(np.uint8), connectivity=8)
    is_small = stats[:, cv2.CC_STAT_AREA] < _ISLAND * over.size
    is_small[0] = False
    if count < 2 or not is_small.any() or "skin" not in parts.names:
        return parts
    labels = np.where(is_small[islands], parts.names.index("skin"), parts.labels)
    return PartMap(labels.astype(np.uint8), parts.box_px, parts.names)


def ramp(
    filled: npt.NDArray[np.uint8], edge: float, feather: float, unit: float, *, at_border: int = 0
) -> FloatArray:
    """Smooth rise from 0 at *edge* inside of the filled area to 1 a *feather* further, in *unit* px.

    Beyond the picture the area goes on where *at_border* is 1, else it ends.
    """
    padded = cv2.copyMakeBorder(filled, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=at_border)
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1]
    rise = np.clip((distance - edge * unit) / max(feather * unit, 1.0), 0, 1)
    return np.asarray(rise * rise * (3 - 2 * rise), np.float32)
