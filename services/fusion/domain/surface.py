"""The mean head's skin between the landmarks: how deep it lies and where it faces."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class HeadSurface:
    """The front of the face as a relief over x and y, in the axes and the unit of `MeanFace`.

    Attributes:
        corner: x and y of the first cell.
        step: between cells.
        layers: (H, W, 3) depth z, and its slopes along x and y.
    """

    corner: Points
    step: float
    layers: Points

    def points(self, places: Points) -> Points:
        """(N, 3): the points of the skin at *places* (N, 2); beyond the relief, its edge goes on."""
        return np.column_stack([places, self.sampled(self.layers[..., 0], places)])

    def normals(self, places: Points) -> Points:
        """(N, 3) unit vectors: where the skin faces at *places* (N, 2)."""
        slopes = self.sampled(self.layers[..., 1:], places)
        outward = np.column_stack([-slopes, np.ones(len(places))])
        return np.asarray(outward / np.linalg.norm(outward, axis=1, keepdims=True))

    def grid(self) -> Points:
        """(H, W, 2): the place of each cell."""
        rows, columns = self.layers.shape[:2]
        x, y = np.meshgrid(np.arange(columns), np.arange(rows))
        return np.asarray(np.stack([x, y], axis=-1) * self.step + self.corner)

    def sampled(self, layer: Points, places: Points) -> Points:
        """A layer (H, W) or (H, W, K) at *places* (N, 2), bilinear."""
        rows, columns = layer.shape[:2]
        at = np.clip((places - self.corner) / self.step, 0, (columns - 1.001, rows - 1.001))
        x, y = at.astype(np.int64).T
        u, v = (at % 1.0).T.reshape(2, len(places), *[1] * (layer.ndim - 2))
        upper = layer[y, x] * (1 - u) + layer[y, x + 1] * u
        lower = layer[y + 1, x] * (1 - u) + layer[y + 1, x + 1] * u
        return np.asarray(upper * (1 - v) + lower * v)


@cache
def mean_surface() -> HeadSurface:
    """The relief from the file beside this one (`python -m starter.heads.mean_surface` writes it)."""
    data = json.loads(Path(__file__).with_name("mean_surface.json").read_text("utf-8"))
    depth, step = np.array(data["depth"], np.float64), float(data["step"])
    along_y, along_x = np.gradient(depth, step)
    corner = np.array([data["x"], data["y"]], np.float64)
    return HeadSurface(corner, step, np.stack([depth, along_x, along_y], axis=-1))
