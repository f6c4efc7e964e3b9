"""Stand-ins for the small nets: no model, deterministic, and they do look at the picture."""

import json
from pathlib import Path

import numpy as np

from services.face_analysis.domain.faces import DetectedFace, Rgb
from services.face_analysis.domain.findings import (
    DenseLandmarks,
    JudgedQuality,
    PartMap,
    SkinMark,
    Structure,
)
from services.face_analysis.domain.geometry import (
    ARCFACE_SIZE_PX,
    align_face,
    template_for,
    umeyama_similarity,
)
from services.face_analysis.domain.head_box import cut_box
from services.face_analysis.domain.nets import MAX_MARKS
from services.face_analysis.domain.quality import luminance, sharpness

_MAP_PX, _MAP_SCALE = 40, 2.2
_CELL_PX = 7
_DARK = 0.8
_PARTS = ("background", "skin")


class FakeStructureModel:
    """`StructureModel` that lays a mean face over the five landmarks; the skin is an ellipse in the box."""

    def __init__(self) -> None:
        content = json.loads(Path(__file__).with_name("fake_face.json").read_text("utf-8"))
        self._scheme = str(content["scheme"])
        self._points, self._five = np.array(content["points"], np.float64), list(content["five"])

    def read(self, rgb: Rgb, face: DetectedFace) -> Structure:
        """See `StructureModel.read`; nothing is ever hidden."""
        to_picture = umeyama_similarity(self._points[self._five], face.landmarks_px)
        points = (self._points @ to_picture[:, :2].T + to_picture[:, 2]).astype(np.float32)
        landmarks = DenseLandmarks(self._scheme, points, np.ones(len(points), np.float32))
        return Structure(landmarks, _part_map(face))


class FakeMarkModel:
    """`MarkModel` that takes every patch clearly darker than the face for a mole."""

    def find(self, rgb: Rgb, face: DetectedFace) -> tuple[SkinMark, ...]:
        """See `MarkModel.find`; patches are cells of 7 px of the face aligned to 112 px."""
        aligned, count = luminance(align_face(rgb, face.landmarks_px)), ARCFACE_SIZE_PX // _CELL_PX
        cells = aligned.reshape(count, _CELL_PX, count, _CELL_PX).mean(axis=(1, 3))[4:13, 4:12]
        skin = float(np.median(cells))
        # From cells of the aligned face back to the picture.
        back = umeyama_similarity(template_for(ARCFACE_SIZE_PX), face.landmarks_px)
        scale = float(np.sqrt(abs(np.linalg.det(back[:, :2]))))
        marks = []
        for row, column in np.argwhere(cells < _DARK * skin):
            x, y = back[:, :2] @ ((np.array([column, row]) + 4.5) * _CELL_PX - 0.5) + back[:, 2]
            confidence = float(np.clip(1 - cells[row, column] / skin, 0, 1))
            marks.append(SkinMark("mole", float(x), float(y), scale * _CELL_PX / 2, confidence))
        return tuple(sorted(marks, key=lambda m: (-m.confidence, m.x_px, m.y_px))[:MAX_MARKS])


class FakeQualityModel:
    """`QualityModel` whose quality is the sharpness, and which knows blur alone."""

    def judge(self, rgb: Rgb, face: DetectedFace) -> JudgedQuality:
        """See `QualityModel.judge`."""
        crisp = sharpness(luminance(align_face(rgb, face.landmarks_px)))
        return JudgedQuality(crisp, {"blur": 1 - crisp})


def _part_map(face: DetectedFace) -> PartMap:
    x0, y0, x1, y1 = cut_box(face)
    x, y, half = (x0 + x1) / 2, (y0 + y1) / 2, _MAP_SCALE * (x1 - x0) / 2
    at = (np.arange(_MAP_PX) + 0.5) / _MAP_PX * 2 - 1
    is_skin = (at[None] * _MAP_SCALE / 0.9) ** 2 + (at[:, None] * _MAP_SCALE / 1.15) ** 2 < 1
    return PartMap(is_skin.astype(np.uint8), (x - half, y - half, x + half, y + half), _PARTS)
