"""Moles, freckles and scars, by the starter pack's mark net."""

from pathlib import Path

import numpy as np

from services.face_analysis.adapters.net_file import MARKS, OnnxNet
from services.face_analysis.domain.faces import DetectedFace, Floats, Rgb
from services.face_analysis.domain.findings import SkinMark
from services.face_analysis.domain.nets import MAX_MARKS

# The net's exponential can say nearly 0 or very much; messages take radii over 0 and up to 1024.
_LEAST_RADIUS_PX, _MOST_RADIUS_PX = 0.1, 1024.0


class OnnxMarkModel:
    """`MarkModel` over marks.onnx: a heat map of centres, 0 but at its peaks (CenterNet, arXiv 1904.07850).

    The card gives the kinds, the side of a cell in pixels of the crop, and the least confidence: that with
    the best balance of recall and precision, unless a *threshold* is given.
    """

    def __init__(self, folder: Path, *, threshold: float | None = None, thread_count: int = 1) -> None:
        """Load the pair of files. Raises ModelMissing when one is absent, ValueError when they disagree."""
        self._net = OnnxNet(MARKS, folder, ("heat", "offset", "radius"), thread_count=thread_count)
        card = self._net.card
        self._kinds, self._cell_px = tuple(card["kinds"]), float(card["cell_px"])
        self._threshold = float(card["threshold"]) if threshold is None else threshold
        if self._net.width_of("heat", 1) not in (len(self._kinds), "kinds"):
            raise ValueError(f"{folder / 'marks.json'} does not describe the net: {self._kinds}")

    def find(self, rgb: Rgb, face: DetectedFace) -> tuple[SkinMark, ...]:
        """See `MarkModel.find`."""
        crop, (heat, offset, radius) = self._net.look_at(rgb, face)
        scale, (x0, y0, _, _) = crop.picture_px_per_px, crop.box_px
        marks = []
        for kind, row, column in np.argwhere(heat >= self._threshold):
            x, y = self._place(offset, int(row), int(column))
            radius_px = float(radius[0, row, column]) * scale
            size = min(max(radius_px, _LEAST_RADIUS_PX), _MOST_RADIUS_PX)
            confidence = min(1.0, float(heat[kind, row, column]))
            marks.append(SkinMark(self._kinds[kind], x0 + x * scale, y0 + y * scale, size, confidence))
        marks.sort(key=lambda mark: (-mark.confidence, mark.x_px, mark.y_px))
        return tuple(marks[:MAX_MARKS])

    def _place(self, offset: Floats, row: int, column: int) -> tuple[float, float]:
        """A mark's centre in pixels of the crop."""
        x, y = offset[:, row, column]
        return (column + float(x)) * self._cell_px, (row + float(y)) * self._cell_px
