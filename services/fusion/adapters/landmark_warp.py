"""A smooth warp that takes each landmark of one face onto another's."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from services.fusion.domain.face import FloatArray
from services.fusion.domain.geometry import Matrix, apply, face_frame, invert

_GRID_PX = 8
"""The warp is smooth: evaluated every 8 px and interpolated, it is off by less than 0.1 px."""


def landmark_map(
    template5: FloatArray, target5: FloatArray, to_target: Matrix, shape: tuple[int, int]
) -> tuple[FloatArray, FloatArray]:
    """Sampling maps (x, y), each (H, W) float32 in template pixels, for cv2.remap.

    The similarity *to_target* plus a thin-plate residual that makes the five landmarks meet and is held at
    zero on a ring around the face, so that the outline follows the similarity (Bookstein, "Principal
    warps", 1989).
    """
    ring = _ring(target5)
    back = invert(to_target)
    control = np.vstack([target5, ring]).astype(np.float64)
    residual = np.vstack([template5 - apply(back, target5), np.zeros((len(ring), 2))])
    scale = face_frame(target5).span_px
    coefficients = _fit(control / scale, residual)
    height, width = shape
    ys, xs = np.arange(0, height + _GRID_PX, _GRID_PX), np.arange(0, width + _GRID_PX, _GRID_PX)
    grid = np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 2).astype(np.float64)
    coarse = (_basis(grid / scale, control / scale) @ coefficients).reshape(len(ys), len(xs), 2)
    dense = _upsample(coarse.astype(np.float32), shape)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    flat = apply(back, np.column_stack([x.ravel(), y.ravel()])).reshape(height, width, 2) + dense
    return np.ascontiguousarray(flat[..., 0]), np.ascontiguousarray(flat[..., 1])


def _ring(landmarks5: FloatArray) -> FloatArray:
    frame = face_frame(landmarks5)
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    curve = np.column_stack([1.25 * np.cos(angle), 0.5 * frame.mouth_y + 1.4 * np.sin(angle)])
    return apply(frame.to_px, curve)


def _kernel(distance2: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(0.5 * distance2 * np.log(np.maximum(distance2, 1e-12)))


def _basis(points: npt.NDArray[np.float64], control: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    distance2 = ((points[:, None] - control[None]) ** 2).sum(-1)
    return np.column_stack([_kernel(distance2), np.ones(len(points)), points])


def _fit(control: npt.NDArray[np.float64], values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Thin-plate coefficients; a trace of regularisation keeps coinciding landmarks solvable."""
    n = len(control)
    basis = _basis(control, control)
    system = np.zeros((n + 3, n + 3))
    system[:n] = basis
    system[:n, :n] += 1e-4 * np.eye(n)
    system[n:, :n] = basis[:, n:].T
    return np.asarray(np.linalg.solve(system, np.vstack([values, np.zeros((3, 2))])))


def _upsample(coarse: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """Bilinear samples of a grid whose knots lie every _GRID_PX pixels."""
    height, width = shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.asarray(cv2.remap(coarse, x / _GRID_PX, y / _GRID_PX, cv2.INTER_LINEAR), np.float32)
