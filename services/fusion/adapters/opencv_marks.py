"""Marks by classical image processing: the embedded `MarkFinder` and `MarkPainter`."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from services.fusion.adapters.opencv_blend import from_lab, to_lab
from services.fusion.adapters.region_masks import face_mask, soft_ellipse
from services.fusion.adapters.spots import find_spots
from services.fusion.domain.face import Face, FloatArray, Image
from services.fusion.domain.geometry import Matrix, apply, face_frame, invert
from services.fusion.domain.marks import Mark, RecurringMark, RestoredMark

_ALIGNED_PX = 192
_UNIT_PX = 64.0
"""Pixels of the aligned face per unit of the face frame."""

_SURE_CONTRAST = 20.0
"""Contrast (LAB lightness) from which a spot counts as certain."""


class OpenCvMarks:
    """Finds spots on the aligned face and paints them relative to the light of the target."""

    def find(self, image: Image, face: Face) -> list[Mark]:
        """See `MarkFinder.find`."""
        to_aligned, landmarks = _alignment(face)
        size = (_ALIGNED_PX, _ALIGNED_PX)
        # Area averaging where the face is large: warpAffine alone would alias pores into spots.
        factor = face_frame(face.landmarks5).span_px / _UNIT_PX
        source = cv2.GaussianBlur(image, (0, 0), 0.45 * factor) if factor > 1.5 else image
        warped = cv2.warpAffine(
            source, to_aligned, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        aligned = np.asarray(warped, np.uint8)
        spots = find_spots(aligned, _skin(aligned, landmarks))
        frame = invert(face_frame(landmarks).to_px)
        marks = []
        for spot in spots:
            x, y = (float(v) for v in apply(frame, np.array([[spot.x, spot.y]]))[0])
            confidence = min(spot.strength / _SURE_CONTRAST, 1.0)
            radius = spot.radius / _UNIT_PX
            marks.append(Mark(x, y, radius, spot.lightness_ratio, spot.delta_a, spot.delta_b, confidence))
        return marks

    def paint(
        self, image: Image, face: Face, marks: Sequence[RecurringMark]
    ) -> tuple[Image, list[RestoredMark]]:
        """See `MarkPainter.paint`."""
        frame = face_frame(face.landmarks5)
        inside = soft_ellipse(face.landmarks5, (0.6 * frame.nose_x, 0.40), (0.92, 1.2), image.shape[:2])
        present = self.find(image, face)
        out, placed = image.copy(), []
        for recurring in marks:
            mark = recurring.mark
            x, y = (float(v) for v in apply(frame.to_px, np.array([[mark.x, mark.y]]))[0])
            if not _visible(inside, x, y):
                continue
            there = any(mark.distance_to(p) < max(0.06, 1.5 * mark.radius) for p in present)
            radius_px = max(mark.radius * frame.span_px, 0.8)
            if not there:
                _paint_one(out, mark, x, y, radius_px)
            placed.append(RestoredMark(x, y, radius_px, mark.confidence, recurring.seen_in, there))
        return out, placed


def _alignment(face: Face) -> tuple[Matrix, FloatArray]:
    """Matrix from the picture to the aligned square, and the landmarks in it."""
    to_frame = invert(face_frame(face.landmarks5).to_px)
    unit = np.array([[_UNIT_PX, 0, _ALIGNED_PX / 2], [0, _UNIT_PX, 0.40 * _ALIGNED_PX]])
    linear = unit[:, :2] @ to_frame[:, :2]
    to_aligned = np.column_stack([linear, unit[:, :2] @ to_frame[:, 2] + unit[:, 2]])
    return to_aligned, apply(to_aligned, face.landmarks5)


def _skin(aligned: Image, landmarks: FloatArray) -> FloatArray:
    """Where marks are looked for: skin-coloured parts of the face without eyes, brows, nostrils and lips."""
    shape = aligned.shape[:2]
    frame = face_frame(landmarks)
    out = soft_ellipse(landmarks, (0.6 * frame.nose_x, 0.40), (0.98, 1.25), shape) > 0.6
    for x in frame.eyes_x:
        out &= soft_ellipse(landmarks, (x, -0.17), (0.48, 0.46), shape) < 0.3
    nose_y = float(apply(invert(frame.to_px), landmarks[2:3])[0, 1])
    out &= soft_ellipse(landmarks, (frame.nose_x, nose_y + 0.10), (0.36, 0.24), shape) < 0.3
    out &= soft_ellipse(landmarks, (0.5 * frame.nose_x, frame.mouth_y), (0.52, 0.30), shape) < 0.3
    lab = cv2.GaussianBlur(to_lab(aligned), (0, 0), 4.0)
    cheeks = lab[face_mask(landmarks, None, shape) * out > 0.5]
    if len(cheeks) < 50:
        return np.zeros(shape, np.float32)
    # Shade changes lightness more than hue, hence the unequal units.
    offset = np.abs(lab - np.median(cheeks, axis=0)) / np.array([22.0, 9.0, 12.0])
    return np.asarray(out & (offset.max(-1) < 1), np.float32)


def _visible(inside: FloatArray, x: float, y: float) -> bool:
    """Whether the place is inside of the picture and of the face that the camera sees."""
    column, row = round(x), round(y)
    height, width = inside.shape
    return 0 <= row < height and 0 <= column < width and float(inside[row, column]) > 0.5


def _paint_one(out: Image, mark: Mark, x: float, y: float, radius_px: float) -> None:
    """Darken a soft disc of *out* in place by the mark's ratio to the skin that is there."""
    reach = int(np.ceil(2.2 * radius_px)) + 1
    x0, y0 = max(int(x) - reach, 0), max(int(y) - reach, 0)
    patch = out[y0 : int(y) + reach + 1, x0 : int(x) + reach + 1]
    yy, xx = np.mgrid[0 : patch.shape[0], 0 : patch.shape[1]]
    distance = np.hypot(xx + x0 - x, yy + y0 - y) / radius_px
    # Flat core, soft rim: 1 up to 0.6 radii, 0 from 1.5 radii.
    ramp = np.clip((1.5 - distance) / 0.9, 0, 1)
    weight = ramp * ramp * (3 - 2 * ramp)
    lab = to_lab(patch)
    lab[..., 0] *= 1 + weight * (mark.lightness_ratio - 1)
    lab[..., 1] += weight * mark.delta_a
    lab[..., 2] += weight * mark.delta_b
    painted = from_lab(lab)
    patch[weight > 0] = painted[weight > 0]
