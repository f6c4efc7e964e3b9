"""SCRFD face detectors as insightface ships them, run through ONNX Runtime."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from services.face_analysis.domain.faces import Floats, Rgb

_STRIDES = (8, 16, 32)
_ANCHORS = 2
_CHANNELS = (1, 1, 1, 4, 4, 4, 10, 10, 10)
_MEAN, _DEVIATION = 127.5, 128.0
_MAX_OVERLAP = 0.4


@dataclass(frozen=True)
class Detections:
    """Faces by falling score, in pixels of the image given."""

    boxes_px: Floats
    """(n, 4)."""
    landmarks_px: Floats
    """(n, 5, 2): left eye, right eye, nose tip, left and right mouth corner."""
    scores: Floats
    """(n,), range [0, 1]."""


class Scrfd:
    """A detector with nine outputs: scores, boxes and landmarks at strides 8, 16 and 32, two anchors each.

    Boxes are distances to the four sides and landmarks are offsets, both from the anchor and in strides
    (insightface, model_zoo/retinaface.py). Images are fitted into a square, top left, the rest black.
    """

    def __init__(self, session: Any, *, input_side_px: int = 640, min_score: float = 0.5) -> None:
        """Wrap an `onnxruntime.InferenceSession`. Raises ValueError for a network of another shape."""
        channels = tuple(output.shape[-1] for output in session.get_outputs())
        if channels != _CHANNELS:
            raise ValueError(f"not an SCRFD with landmarks: its outputs have {channels} channels")
        entry = session.get_inputs()[0]
        fixed = entry.shape[2]
        self._side = fixed if isinstance(fixed, int) else input_side_px
        if self._side % _STRIDES[-1]:
            raise ValueError(f"the side of the detector's input, {self._side} px, is no multiple of 32")
        self._session, self._input, self._min_score = session, entry.name, min_score

    def detect(self, rgb: Rgb) -> Detections:
        """All faces with at least the minimum score, overlapping ones reduced to the best."""
        square, scale = _fit(rgb, self._side)
        blob = ((square.astype(np.float32) - _MEAN) / _DEVIATION).transpose(2, 0, 1)[None]
        outputs = self._session.run(None, {self._input: blob})
        levels = [self._decode(outputs, level, stride) for level, stride in enumerate(_STRIDES)]
        boxes, landmarks, scores = (np.concatenate(parts) for parts in zip(*levels, strict=True))
        keep = non_maximum_suppression(boxes, scores, _MAX_OVERLAP)
        grow = np.float32(1 / scale)
        return Detections(boxes[keep] * grow, landmarks[keep] * grow, scores[keep])

    def _decode(
        self, outputs: list[npt.NDArray[np.float32]], level: int, stride: int
    ) -> tuple[Floats, Floats, Floats]:
        scores = outputs[level].reshape(-1)
        confident = np.flatnonzero(scores >= self._min_score)
        cells = self._side // stride
        rows, columns = np.divmod(confident // _ANCHORS, cells)
        anchors = np.stack([columns, rows], axis=1).astype(np.float32) * stride
        sides = outputs[level + 3].reshape(-1, 4)[confident] * stride
        boxes = np.concatenate([anchors - sides[:, :2], anchors + sides[:, 2:]], axis=1)
        offsets = outputs[level + 6].reshape(-1, 5, 2)[confident] * stride
        return boxes, anchors[:, None, :] + offsets, scores[confident]


def non_maximum_suppression(boxes: Floats, scores: Floats, max_overlap: float) -> list[int]:
    """Positions of the boxes to keep, best first: none overlaps (IoU) a better one by more than allowed."""
    areas = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    order, keep = list(np.argsort(-scores, kind="stable")), []
    while order:
        best = order.pop(0)
        keep.append(int(best))
        rest = np.array(order, int)
        low = np.maximum(boxes[rest, :2], boxes[best, :2])
        high = np.minimum(boxes[rest, 2:], boxes[best, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        overlap = shared / np.maximum(areas[rest] + areas[best] - shared, 1e-9)
        order = [int(i) for i in rest[overlap <= max_overlap]]
    return keep


def _fit(rgb: Rgb, side: int) -> tuple[Rgb, float]:
    import cv2

    scale = side / max(rgb.shape[:2])
    width, height = max(1, int(rgb.shape[1] * scale)), max(1, int(rgb.shape[0] * scale))
    square = np.zeros((side, side, 3), np.uint8)
    square[:height, :width] = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_LINEAR)
    return square, scale
