"""What lies over the skin at a place of a picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from services.fusion.domain.face import Face
from services.fusion.domain.structure import DenseLandmarks, PartMap

Points = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

BARE = ("skin", "lips", "neck", "ears")
"""Parts that carry marks in sight; any other (hair, glasses, beard, brows, ...) hides the skin."""

_SHARE = 0.7
_NEAREST = 3
_RING = np.column_stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)])


def is_bare(face: Face, pixels: Points, radii_px: Points) -> Flags:
    """(N,): whether the skin shows at *pixels* (N, 2) and in most of the disc of *radii_px* (N,) around them.

    By the part map; without one by the visibility of the three nearest landmarks; without either always.
    """
    if face.parts is not None:
        return _bare_by_parts(face.parts, pixels, radii_px)
    if face.dense is not None:
        return _bare_by_landmarks(face.dense, pixels)
    return np.ones(len(pixels), np.bool_)


def _bare_by_parts(parts: PartMap, pixels: Points, radii_px: Points) -> Flags:
    size = len(parts.labels)
    x0, y0, x1, y1 = parts.box_px
    cells_per_px = size / np.array([x1 - x0, y1 - y0])
    reach = np.maximum(radii_px, 1 / cells_per_px.min())[:, None, None]
    samples = np.concatenate([pixels[:, None], pixels[:, None] + reach * _RING], axis=1)
    at = np.floor((samples - (x0, y0)) * cells_per_px).astype(np.int64)
    inside = ((at >= 0) & (at < size)).all(-1)
    columns, rows = np.clip(at, 0, size - 1).transpose(2, 0, 1)
    is_bare_part = np.array([name in BARE for name in parts.names])
    bare = is_bare_part[parts.labels[rows, columns]] & inside
    return np.asarray(bare[:, 0] & (bare.mean(1) >= _SHARE))


def _bare_by_landmarks(dense: DenseLandmarks, pixels: Points) -> Flags:
    distance = ((pixels[:, None] - dense.points) ** 2).sum(-1)
    nearest = np.argsort(distance, axis=1)[:, :_NEAREST]
    return np.asarray(dense.visibility[nearest].mean(1) > 0.5)
