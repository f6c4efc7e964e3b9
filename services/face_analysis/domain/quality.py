"""Quality of a face: sharpness, exposure, size. Every measure is a pure function of pixels and landmarks."""

import math

import numpy as np
import numpy.typing as npt

from services.face_analysis.domain.faces import DetectedFace, Quality, Rgb
from services.face_analysis.domain.geometry import align_face, head_pose_deg

# The part of the aligned 112 px square that is face for any head shape: brows to chin, cheek to cheek.
_FACE_ROWS, _FACE_COLUMNS = slice(28, 108), slice(20, 92)

# Variance of the Laplacian at which sharpness is one half. Renders that are in focus have 400 to 2,700,
# the same under a Gaussian blur of 2.3 % of the face's width (3 px of 130) 3 to 27.
_HALF_SHARP = 100.0

_BLACK, _WHITE = 6.0, 249.0
# Mean luminance (0 to 1) below and above which exposure is lowered. Well lit dark skin stays over 0.3 in
# the renders, and must not be called underexposed, hence the wide margin.
_DARK, _BRIGHT = 0.15, 0.90

# Side in pixels from which more pixels count as no better: renders of a 70 px face tell people apart as
# well as those of a 140 px face (AUC .987 and .981).
_AMPLE_SIZE_PX = 112.0


def measure(rgb: Rgb, face: DetectedFace) -> Quality:
    """All measures of one face; see the functions below for what each means."""
    grey = luminance(align_face(rgb, face.landmarks_px)[_FACE_ROWS, _FACE_COLUMNS])
    yaw, pitch, roll = head_pose_deg(face.landmarks_px)
    crispness, light, side = sharpness(grey), exposure(grey), size_px(face)
    return Quality(
        sharpness=crispness,
        exposure=light,
        mean_luminance=float(grey.mean() / 255.0),
        size_px=side,
        yaw_deg=yaw,
        pitch_deg=pitch,
        roll_deg=roll,
        landmark_confidence=face.landmark_confidence,
        overall=overall(crispness, light, side, yaw, face.landmark_confidence),
    )


def luminance(rgb: Rgb) -> npt.NDArray[np.float32]:
    """Rec. 601 luma of gamma-encoded RGB, float32 in [0, 255]."""
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    result: npt.NDArray[np.float32] = rgb.astype(np.float32) @ weights
    return result


def sharpness(grey: npt.NDArray[np.float32]) -> float:
    """V / (v + 100), v = variance of the 4-neighbour Laplacian of an aligned face in grey levels; [0, 1).

    The face is brought to 112 px first, so the number compares faces of any size, and a face that must be
    enlarged for it reads as blurred. (Variance of the Laplacian: Pech-Pacheco et al., ICPR 2000.)
    """
    neighbours = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    variance = float(np.var(neighbours - 4.0 * grey[1:-1, 1:-1]))
    return variance / (variance + _HALF_SHARP)


def exposure(grey: npt.NDArray[np.float32]) -> float:
    """Share of pixels that are neither black (luma <= 6) nor white (>= 249), range [0, 1].

    Lowered in proportion when the mean luminance is under 0.15 or over 0.90 of white.
    """
    mean = float(grey.mean()) / 255.0
    usable = 1.0 - float(np.mean((grey <= _BLACK) | (grey >= _WHITE)))
    return usable * min(1.0, mean / _DARK, (1.0 - mean) / (1.0 - _BRIGHT))


def size_px(face: DetectedFace) -> float:
    """The longer side of the box in pixels."""
    x0, y0, x1, y1 = face.box_px
    return max(0.0, x1 - x0, y1 - y0)


def overall(sharpness: float, exposure: float, size_px: float, yaw_deg: float, confidence: float) -> float:
    """Geometric mean of five factors in [0, 1]: one bad measure spoils the whole, as it does in training.

    The factors: sharpness, exposure, size up to 112 px, the cosine of the yaw, trust in the landmarks.
    """
    facing = max(0.0, math.cos(math.radians(yaw_deg)))
    factors = (sharpness, exposure, min(1.0, size_px / _AMPLE_SIZE_PX), facing, confidence)
    return math.prod(max(0.0, factor) for factor in factors) ** (1 / len(factors))
