"""Alignment of a face to a template, and its pose, from the five landmarks alone."""

import math

import numpy as np
import numpy.typing as npt

from services.face_analysis.domain.faces import Floats, Rgb

ARCFACE_TEMPLATE_PX: npt.NDArray[np.float64] = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
"""Where ArcFace networks expect the five landmarks in a 112 px square (insightface utils/face_align.py)."""
ARCFACE_SIZE_PX = 112

# A face as three points, in units of the distance between the eye centres: the nose tip lies 0.65 below
# the line of the eyes and 0.57 in front of it. Fitted to 261 renders with known landmarks and pose
# (below: 0.62 for exact landmarks, 0.68 for dlib's; before: 0.59 and 0.53).
NOSE_BELOW_EYES = 0.65
NOSE_BEFORE_EYES = 0.57


def umeyama_similarity(
    source: npt.NDArray[np.floating], target: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    """The 2x3 matrix of rotation, uniform scale and shift that best maps `source` to `target`, both (n, 2).

    Least squares without reflection: S. Umeyama, "Least-squares estimation of transformation parameters
    between two point patterns", TPAMI 1991. Raises ValueError when all source points coincide.
    """
    src, dst = np.asarray(source, np.float64), np.asarray(target, np.float64)
    src_mean, dst_mean = src.mean(axis=0), dst.mean(axis=0)
    src_centred, dst_centred = src - src_mean, dst - dst_mean
    variance = float((src_centred**2).sum() / len(src))
    if variance < 1e-12:
        raise ValueError("landmarks that coincide cannot be aligned")
    u, singular, vt = np.linalg.svd(dst_centred.T @ src_centred / len(src))
    sign = np.array([1.0, 1.0 if np.linalg.det(u) * np.linalg.det(vt) > 0 else -1.0])
    rotation = u @ np.diag(sign) @ vt
    scale = float((singular * sign).sum() / variance)
    shift = dst_mean - scale * rotation @ src_mean
    return np.column_stack([scale * rotation, shift])


def template_for(size_px: int) -> npt.NDArray[np.float64]:
    """The ArcFace template scaled from 112 px to a square of `size_px`, pixel centres at integers."""
    return (ARCFACE_TEMPLATE_PX + 0.5) * (size_px / ARCFACE_SIZE_PX) - 0.5


def align_face(rgb: Rgb, landmarks_px: Floats, size_px: int = ARCFACE_SIZE_PX) -> Rgb:
    """The face warped to the ArcFace template, (size_px, size_px, 3) RGB uint8; black outside the image."""
    return warp_to_square(rgb, umeyama_similarity(landmarks_px, template_for(size_px)), size_px)


def warp_to_square(rgb: Rgb, matrix: npt.NDArray[np.float64], size_px: int) -> Rgb:
    """Resample `rgb` under the 2x3 source-to-square similarity; bilinear, black outside the image.

    A face that shrinks by a factor k is averaged over k x k pixels first: plain bilinear sampling of a
    large photo aliases, and aliasing looks like sharpness.
    """
    scale = math.sqrt(abs(np.linalg.det(matrix[:, :2])))
    block = max(1, int(1.0 / scale + 1e-6))
    inverse = np.linalg.inv(matrix[:, :2])
    ys, xs = np.mgrid[0:size_px, 0:size_px].astype(np.float64)
    points = (np.stack([xs, ys], axis=-1) - matrix[:, 2]) @ inverse.T
    low = np.maximum(np.floor(points.min(axis=(0, 1))).astype(int) - block, 0)
    high = np.minimum(np.ceil(points.max(axis=(0, 1))).astype(int) + block + 2, rgb.shape[1::-1])
    if np.any(high <= low):
        return np.zeros((size_px, size_px, 3), np.uint8)
    region = rgb[low[1] : high[1], low[0] : high[0]].astype(np.float32)
    shrunk = _block_mean(region, block)
    return _bilinear(shrunk, (points - low + 0.5) / block - 0.5)


def _block_mean(region: npt.NDArray[np.float32], block: int) -> npt.NDArray[np.float32]:
    if block == 1:
        return region
    height, width = region.shape[0] // block, region.shape[1] // block
    if height == 0 or width == 0:
        whole: npt.NDArray[np.float32] = region.mean(axis=(0, 1), keepdims=True, dtype=np.float32)
        return whole
    blocks = region[: height * block, : width * block].reshape(height, block, width, block, 3)
    result: npt.NDArray[np.float32] = blocks.mean(axis=(1, 3), dtype=np.float32)
    return result


def _bilinear(image: npt.NDArray[np.float32], points: npt.NDArray[np.float64]) -> Rgb:
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)))
    x = np.clip(points[..., 0] + 1, 0, padded.shape[1] - 1.001)
    y = np.clip(points[..., 1] + 1, 0, padded.shape[0] - 1.001)
    x0, y0 = x.astype(int), y.astype(int)
    fx, fy = (x - x0)[..., None], (y - y0)[..., None]
    top = padded[y0, x0] * (1 - fx) + padded[y0, x0 + 1] * fx
    bottom = padded[y0 + 1, x0] * (1 - fx) + padded[y0 + 1, x0 + 1] * fx
    result: Rgb = np.clip(np.rint(top * (1 - fy) + bottom * fy), 0, 255).astype(np.uint8)
    return result


def head_pose_deg(landmarks_px: Floats) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees from the eye centres and the nose tip; a coarse, closed-form estimate.

    Yaw is positive when the face turns to the viewer's right, pitch when it looks up, roll when the
    head tilts clockwise in the image. Model: a rigid triangle under weak perspective (constants above).
    Roll is good to 1 degree and yaw to 3; pitch moves the nose less than one person's nose differs from
    another's, so it only tells the extremes (figures in the service's README).
    """
    left, right, nose = (np.asarray(landmarks_px[i], np.float64) for i in range(3))
    eyes = right - left
    distance = float(np.hypot(*eyes))
    if distance < 1e-6:
        raise ValueError("eye centres that coincide give no pose")
    roll = math.degrees(math.atan2(eyes[1], eyes[0]))
    along, down = eyes / distance, np.array([-eyes[1], eyes[0]]) / distance
    offset = (nose - (left + right) / 2) / distance
    yaw = math.atan2(float(offset @ along), NOSE_BEFORE_EYES)
    # Turning the head by yaw shortens the distance of the eyes, our unit, by cos(yaw).
    pitch = _pitch_rad(float(offset @ down) * math.cos(yaw), NOSE_BEFORE_EYES * math.cos(yaw))
    return math.degrees(yaw), -math.degrees(pitch), roll


def _pitch_rad(nose_below: float, depth: float) -> float:
    """Downward pitch: solve NOSE_BELOW_EYES * cos(p) + depth * sin(p) = nose_below for the p nearest to 0."""
    reach = math.hypot(NOSE_BELOW_EYES, depth)
    upright = math.atan2(depth, NOSE_BELOW_EYES)
    spread = math.acos(max(-1.0, min(1.0, nose_below / reach)))
    return min(upright - spread, upright + spread, key=abs)
