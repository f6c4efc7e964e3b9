"""Looks at whole pictures and at the pixels of their faces: the embedded `PictureInspector`."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from services.fusion.domain.checks import Check, clipped_check, flat_check
from services.fusion.domain.face import Face, FloatArray, Image
from services.fusion.domain.geometry import Matrix, face_frame, invert
from services.fusion.errors import PictureDefect
from shared.errors import LikenessError

_SIDE = 16

# The face that pixels are judged in: brows to below the mouth, cheek to cheek, in the units of `FaceFrame`.
_FACE_PX = 112
_UNIT_PX = _FACE_PX / 1.8
_LEFT, _TOP = -0.9, -0.5
_WINDOW_PX = 7
# Drawn pictures have even areas too, but none without any grain: toons of the starter pack 0 % under this.
_FLAT_DEVIATION = 0.5
_WHITE, _BLACK = 250, 6
# What a lens or a fringe covers is no skin, and may well be flat or black.
_COVERS = ("glasses", "hair", "headwear", "metal")
_LEAST_SHARE = 0.2


class OpenCvInspector:
    """Thumbnail signatures, and checks for blank, crushed or blown-out pictures and faces."""

    def appearance(self, image: Image) -> FloatArray:
        """Unit vector of a 16 x 16 LAB thumbnail about its mean; see `PictureInspector.appearance`.

        Empty for a picture of a single colour, which has no looks to compare.
        """
        small = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        lab = cv2.cvtColor(small.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
        centred = (lab - lab.mean((0, 1))).ravel()
        norm = float(np.linalg.norm(centred))
        return np.asarray(centred / norm if norm > 1.0 else centred[:0], np.float32)

    def checks(self, image: Image, face: Face) -> list[Check]:
        """See `PictureInspector.checks`; the face is brought to 112 px first.

        None where glasses and hair leave less than a fifth of it.
        """
        to_face = _to_face(face)
        size = (_FACE_PX, _FACE_PX)
        warped = cv2.warpAffine(image, to_face, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
        pixels = np.asarray(warped, np.uint8)
        skin = _ellipse() & ~_covered(face, to_face)
        count = int(np.count_nonzero(skin))
        if count < _LEAST_SHARE * _FACE_PX**2:
            return []
        clipped = (pixels.min(-1) >= _WHITE) | (pixels.max(-1) <= _BLACK)
        flat = _deviation(pixels) < _FLAT_DEVIATION
        return [
            clipped_check(float(np.count_nonzero(clipped & skin)) / count),
            flat_check(float(np.count_nonzero(flat & skin)) / count),
        ]

    def defect(self, image: Image, name: str) -> LikenessError | None:
        """See `PictureInspector.defect`."""
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
        if float(grey.std()) < 6.0:
            return PictureDefect(image=name, defect="it is blank")
        height, width = grey.shape
        centre = grey[height // 5 : height - height // 5, width // 4 : width - width // 4]
        if float((centre >= 253).mean()) > 0.5:
            return PictureDefect(image=name, defect="its middle is blown out")
        if float((centre <= 2).mean()) > 0.6:
            return PictureDefect(image=name, defect="its middle is black")
        return None


def _to_face(face: Face) -> Matrix:
    """Pixels of the picture to pixels of the judged face."""
    to_px = face_frame(face.landmarks5).to_px
    linear = to_px[:, :2] / _UNIT_PX
    origin = to_px[:, :2] @ (_LEFT, _TOP) + to_px[:, 2]
    return invert(np.column_stack([linear, origin]))


def _covered(face: Face, to_face: Matrix) -> npt.NDArray[np.bool_]:
    """(112, 112): where the part map shows glasses or hair; nowhere without one."""
    if face.parts is None:
        return np.zeros((_FACE_PX, _FACE_PX), bool)
    x0, y0, x1, y1 = face.parts.box_px
    side = face.parts.labels.shape[0]
    to_picture = np.array([[(x1 - x0) / side, 0, x0], [0, (y1 - y0) / side, y0], [0, 0, 1]])
    covers = face.parts.share_of(_COVERS).astype(np.uint8)
    return cv2.warpAffine(covers, to_face @ to_picture, (_FACE_PX, _FACE_PX)) > 0


def _deviation(pixels: Image) -> FloatArray:
    """Standard deviation of the brightness in windows of 7 px, in grey levels."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    window = (_WINDOW_PX, _WINDOW_PX)
    variance = cv2.blur(grey * grey, window) - cv2.blur(grey, window) ** 2
    return np.asarray(np.sqrt(np.maximum(variance, 0)), np.float32)


@cache
def _ellipse() -> npt.NDArray[np.bool_]:
    """(112, 112): the oval of the face."""
    y, x = (np.mgrid[0:_FACE_PX, 0:_FACE_PX] + 0.5 - _FACE_PX / 2) / _FACE_PX
    return np.asarray((x / 0.46) ** 2 + (y / 0.5) ** 2 < 1)
