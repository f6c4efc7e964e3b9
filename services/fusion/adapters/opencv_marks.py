"""Marks with OpenCV: the classical `MarkFinder` and the `MarkPainter`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from services.fusion.adapters.mark_patch import Patch, patch_of
from services.fusion.adapters.opencv_blend import from_lab, to_lab
from services.fusion.adapters.region_masks import face_mask, soft_ellipse
from services.fusion.adapters.spots import find_spots
from services.fusion.domain.exemplars import Stroke
from services.fusion.domain.face import Face, FloatArray, Image
from services.fusion.domain.geometry import Matrix, apply, face_frame, invert
from services.fusion.domain.structure import FoundMark

_ALIGNED_PX = 192
_UNIT_PX = 64.0
"""Pixels of the aligned face per unit of the face frame."""

_SURE_CONTRAST = 20.0
"""Contrast (LAB lightness) from which a spot counts as certain."""

_USUAL_HUE, _HUES = (0.5, 0.5), (-0.6, 0.9)
"""Colour of brown spots on renders without compression, and the bounds of what is measured."""
_SURE_RADIUS_PX, _MOST_LOST = 2.6, 0.5


class OpenCvMarks:
    """Finds spots on the aligned face, and lays marks of photos onto other skin."""

    def find(self, image: Image, face: Face) -> list[FoundMark]:
        """See `MarkFinder.find`."""
        to_aligned, landmarks = _alignment(face)
        size = (_ALIGNED_PX, _ALIGNED_PX)
        span_px = face_frame(face.landmarks5).span_px
        # Area averaging where the face is large: warpAffine alone would alias pores into spots.
        factor = span_px / _UNIT_PX
        source = cv2.GaussianBlur(image, (0, 0), 0.45 * factor) if factor > 1.5 else image
        warped = cv2.warpAffine(
            source, to_aligned, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        aligned = np.asarray(warped, np.uint8)
        spots = find_spots(aligned, _skin(aligned, landmarks))
        places = np.array([(spot.x, spot.y) for spot in spots]).reshape(-1, 2)
        # The middle of pixel k lies at k + 1/2.
        pixels = apply(invert(to_aligned), places) + 0.5
        return [
            FoundMark(
                "spot",
                float(x),
                float(y),
                spot.radius / _UNIT_PX * span_px,
                min(spot.strength / _SURE_CONTRAST, 1.0),
            )
            for (x, y), spot in zip(pixels, spots, strict=True)
        ]

    def paint(
        self, image: Image, strokes: Sequence[Stroke], photo: Callable[[int], Image]
    ) -> tuple[Image, list[bool]]:
        """See `MarkPainter.paint`."""
        photos = {e.photo: photo(e.photo) for stroke in strokes for e in stroke.exemplars}
        patches = [patch_of(stroke, photos) for stroke in strokes]
        hues = _hues(strokes, patches)
        layer = np.zeros((*image.shape[:2], 3), np.float32)
        for stroke, patch in zip(strokes, patches, strict=True):
            if patch is not None:
                _add(layer, patch, hues[stroke.placed.mark.kind])
        return _laid(image, layer), [patch is not None for patch in patches]


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


def _hues(strokes: Sequence[Stroke], patches: Sequence[Patch | None]) -> dict[str, tuple[float, float]]:
    """Rise of LAB a and b for each unit by which lightness drops, by kind of mark.

    Marks of one kind are alike on one person, hence the mean over all of them. JPEG leaves about half of the
    colour of a mark of a few pixels: the smaller it is in its photo, the more counts what brown spots have.
    """
    sums: dict[str, FloatArray] = defaultdict(lambda: np.zeros(3, np.float32))
    radii: dict[str, list[float]] = defaultdict(list)
    for stroke, patch in zip(strokes, patches, strict=True):
        if patch is not None:
            sums[stroke.placed.mark.kind] += (patch.dark, *patch.chroma)
            radii[stroke.placed.mark.kind].append(stroke.exemplars[0].radius_px)
    hues = {}
    for kind, (dark, a, b) in sums.items():
        measured = np.clip(np.array([a, b]) / (float(dark) if abs(dark) > 1e-3 else 1e-3), *_HUES)
        lost = min(max((_SURE_RADIUS_PX - float(np.mean(radii[kind]))) / 1.5, 0.0), _MOST_LOST)
        hue = (1 - lost) * measured + lost * np.array(_USUAL_HUE)
        hues[kind] = (float(hue[0]), float(hue[1]))
    return hues


def _add(layer: FloatArray, patch: Patch, hue: tuple[float, float]) -> None:
    """Enter *patch* into *layer* (drop of lightness, rise of a and b); where marks overlap, the stronger one.

    Freckles stand close: the patch of each shows its neighbours too, which must not darken twice.
    """
    height, width = layer.shape[:2]
    side = len(patch.drop)
    x0, y0 = max(patch.x0, 0), max(patch.y0, 0)
    x1, y1 = max(min(patch.x0 + side, width), x0), max(min(patch.y0 + side, height), y0)
    share = patch.drop[y0 - patch.y0 : y1 - patch.y0, x0 - patch.x0 : x1 - patch.x0]
    known = layer[y0:y1, x0:x1]
    stronger = np.abs(share) > np.abs(known[..., 0])
    known[stronger] = share[stronger, None] * np.array([1.0, *hue], np.float32)


def _laid(image: Image, layer: FloatArray) -> Image:
    """A copy of *image* darkened by *layer*, each pixel by a share of its own lightness."""
    out = image.copy()
    changed = np.abs(layer[..., 0]) > 2e-3
    if changed.any():
        lab = to_lab(out[changed][None])
        lab += lab[..., :1] * layer[changed][None] * np.array([-1.0, 1.0, 1.0], np.float32)
        out[changed] = from_lab(lab)[0]
    return out
