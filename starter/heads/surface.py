"""The smoothed skin of one head, with the measures and queries that hair and clothes need."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from starter.heads.arrays import Floats, normalised
from starter.heads.assets import load_assets
from starter.heads.mesh import vertex_normals
from starter.heads.regions import chin_band, outer_skin, reference, scalp


@dataclass(frozen=True)
class HeadSurface:
    """One shaped head, not yet turned. All lengths in decimetres.

    raw: vertices of all parts before smoothing (n, 3). skin: smoothed skin (m, 3). normals: of the skin.
    """

    raw: Floats
    skin: Floats
    normals: Floats

    @classmethod
    def of(cls, raw: Floats) -> "HeadSurface":
        """Smooth the skin of shaped vertices (starter.heads.shape.shape_head)."""
        assets = load_assets()
        skin = assets.subdivision(raw[assets.skin])
        return cls(raw, skin, vertex_normals(skin, reference().triangles))

    @cached_property
    def touchable(self) -> tuple[cKDTree, Floats, Floats]:
        """Nearest-point tree, points and normals of the skin that hair can lie on."""
        index = outer_skin()
        return cKDTree(self.skin[index]), self.skin[index], self.normals[index]

    @cached_property
    def hair_centre(self) -> Floats:
        """Mean of the scalp (3,)."""
        return np.asarray(self.skin[scalp()].mean(axis=0))

    @cached_property
    def crown_y(self) -> float:
        """Height of the highest scalp point."""
        return float(self.skin[scalp(), 1].max())

    @cached_property
    def half_depth(self) -> float:
        """Half the extent of the scalp from front to back: the unit of hair lengths."""
        return float(np.ptp(self.skin[scalp(), 2])) / 2

    @cached_property
    def jaw_y(self) -> float:
        """Height of the jaw line in front."""
        band = chin_band() & (reference().points[:, 1] < 6.25)
        return float(self.skin[band, 1].mean())

    @cached_property
    def face_height(self) -> float:
        """From the jaw line to the crown."""
        return self.crown_y - float(self.skin[chin_band(), 1].mean())

    def lifted(self, points: Floats, clearance: Floats | float) -> Floats:
        """Points (n, 3) pushed out until they are `clearance` above the skin (at most .3 at a time)."""
        tree, skin, normals = self.touchable
        _, nearest = tree.query(points, k=3)
        height = ((points[:, None] - skin[nearest]) * normals[nearest]).sum(axis=2).mean(axis=1)
        outward = normalised(normals[nearest].mean(axis=1))
        return np.asarray(points + outward * np.clip(clearance - height, 0, 0.3)[:, None])
