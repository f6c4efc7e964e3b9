"""Plane geometry of a face, from its five landmarks alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.fusion.domain.face import FloatArray

Matrix = npt.NDArray[np.float64]
"""(2, 3) affine matrix: out = m[:, :2] @ point + m[:, 2]."""

# Offset of the nose, in eye distances, at which the far side of a turned face is gone.
_PROFILE_NOSE_X = 0.5


def similarity_transform(source: FloatArray, target: FloatArray) -> Matrix:
    """Least-squares rotation, uniform scale and shift that takes *source* (N, 2) to *target* (N, 2).

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns" (1991);
    reflections are excluded.

    Raises:
        ValueError: the source points coincide, so that no scale exists.
    """
    src, dst = source.astype(np.float64), target.astype(np.float64)
    src_mean, dst_mean = src.mean(0), dst.mean(0)
    src_centred, dst_centred = src - src_mean, dst - dst_mean
    variance = (src_centred**2).sum() / len(src)
    if variance < 1e-9:
        raise ValueError("source points coincide")
    u, singular, vt = np.linalg.svd(dst_centred.T @ src_centred / len(src))
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt)) or 1.0])
    rotation = u @ np.diag(sign) @ vt
    scale = float((singular * sign).sum() / variance)
    linear = scale * rotation
    return np.column_stack([linear, dst_mean - linear @ src_mean])


def apply(matrix: Matrix, points: npt.NDArray[np.floating]) -> FloatArray:
    """Transform *points* (N, 2) by a (2, 3) matrix."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float32)


def invert(matrix: Matrix) -> Matrix:
    """The inverse of a (2, 3) affine matrix."""
    inverse = np.linalg.inv(matrix[:, :2])
    return np.column_stack([inverse, -inverse @ matrix[:, 2]])


def scale_of(matrix: Matrix) -> float:
    """The uniform scale of a similarity matrix."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))


def rotation_deg_of(matrix: Matrix) -> float:
    """The rotation of a similarity matrix in degrees, clockwise on screen (y points down)."""
    return float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])))


@dataclass(frozen=True, slots=True, eq=False)
class FaceFrame:
    """A coordinate frame fixed to the face: origin between the eyes, x along them, y towards the mouth.

    Attributes:
        to_px: frame units to pixels; one unit is *span_px*.
        span_px: length of one unit: the distance between the eyes, or what it would be if the head were
            not turned, whichever is larger.
        eyes_x: x of the left and the right eye, in units.
        mouth_y: y of the middle of the mouth, in units.
        nose_x: x of the nose in units; 0 is frontal.
    """

    to_px: Matrix
    span_px: float
    eyes_x: tuple[float, float]
    mouth_y: float
    nose_x: float


def face_frame(landmarks5: FloatArray) -> FaceFrame:
    """The frame of a face from its five landmarks.

    The mouth corners may be estimates (a five-point detector of eye corners and nose has none), so the
    unit leans on the eyes and takes the mouth only when a turned head squeezes the eyes together.
    """
    points = landmarks5.astype(np.float64)
    left, right, nose, mouth = points[0], points[1], points[2], (points[3] + points[4]) / 2
    across = right - left
    eyes_px = max(float(np.hypot(*across)), 1e-6)
    axis_x = across / eyes_px
    axis_y = np.array([-axis_x[1], axis_x[0]])
    middle = (left + right) / 2
    drop_px = max(float((mouth - middle) @ axis_y), 0.5 * eyes_px)
    span_px = max(eyes_px, 0.85 * drop_px)
    to_px = np.column_stack([axis_x * span_px, axis_y * span_px, middle])
    half = eyes_px / span_px / 2
    nose_x = float((nose - middle) @ axis_x) / span_px
    return FaceFrame(to_px, span_px, (-half, half), drop_px / span_px, nose_x)


def estimated_yaw_deg(landmarks5: FloatArray) -> float:
    """A coarse head turn from the nose's place between the eyes; degrees, positive to the viewer's right.

    The tip of the nose stands about 0.6 of the eye distance before the plane of the eyes.
    """
    frame = face_frame(landmarks5)
    return float(np.degrees(np.arctan2(frame.nose_x, 0.6)))


def face_outline(landmarks5: FloatArray, points: int = 48) -> FloatArray:
    """A closed curve (points, 2) in pixels around brows, eyes, nose and mouth.

    It stays inside the hair line and the jaw: they belong to the picture that the face is put into. The
    side that a turned head hides is drawn narrower.
    """
    frame = face_frame(landmarks5)
    middle_y, lower_y = 0.5 * frame.mouth_y, 0.86 * frame.mouth_y + 0.42
    upper_y = -0.70
    turn = float(np.clip(frame.nose_x / _PROFILE_NOSE_X, -0.9, 0.9))
    left = frame.eyes_x[0] - 0.37 * (1 + min(turn, 0.0))
    right = frame.eyes_x[1] + 0.37 * (1 - max(turn, 0.0))
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    # A superellipse of exponent 2.5: fuller than an ellipse at the brows' ends, still round at the chin.
    cos, sin = np.cos(angle), np.sin(angle)
    cos, sin = np.sign(cos) * np.abs(cos) ** 0.8, np.sign(sin) * np.abs(sin) ** 0.8
    centre_x = (left + right) / 2
    x = centre_x + (right - left) / 2 * cos
    # The chin is narrower than the brows.
    x = centre_x + (x - centre_x) * (1 - 0.18 * np.clip(sin, 0, 1))
    y = middle_y + np.where(sin < 0, (middle_y - upper_y) * sin, (lower_y - middle_y) * sin)
    return apply(frame.to_px, np.column_stack([x, y]))
