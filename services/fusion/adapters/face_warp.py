"""Brings both faces of a fusion to the same geometry."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from services.fusion.adapters.plate_field import spline_field, upsampled
from services.fusion.domain.face import Face, FloatArray, Image
from services.fusion.domain.fusing import Template, WarpMode
from services.fusion.domain.geometry import Matrix, apply, face_frame, invert
from services.fusion.domain.morph import Morph

Maps = tuple[FloatArray, FloatArray]
_TRUST_SIGMA = 0.22
"""How far a landmark speaks for the skin around it, in eye distances."""


@dataclass(frozen=True, slots=True, eq=False)
class Meeting:
    """Where each pixel of a crop of the candidate is taken from.

    Attributes:
        template: x and y in the template's picture, (H, W) float32 each.
        candidate: x and y in the crop itself; None where the candidate keeps its geometry.
        trust: (H, W) in [0, 1], how well the template's picture shows that place; None for everywhere well.
    """

    template: Maps
    candidate: Maps | None = None
    trust: FloatArray | None = None


def meet(
    face: Face,
    template: Template,
    to_crop: Matrix,
    shape: tuple[int, int],
    warp: WarpMode,
    morph: Morph | None,
) -> Meeting:
    """The maps of a fusion.

    Args:
        face: of the candidate, in pixels of the crop.
        template: the template.
        to_crop: (2, 3) similarity, template pixels to crop pixels.
        shape: height and width of the crop.
        warp: what is asked for.
        morph: in pixels of the crop; None where there are no dense landmarks to go by.
    """
    back = invert(to_crop)
    flat = affine_map(back, shape)
    if morph is None:
        if warp is WarpMode.SIMILARITY:
            return Meeting(flat)
        offset = _five_point_field(face, template.face, back, shape)
        return Meeting(_added(flat, offset))
    values = morph.template - apply(back, morph.target)
    if warp is WarpMode.POSED:
        values = np.hstack([values, morph.candidate - morph.target])
    # No ring: the outline is among the landmarks, and nothing beyond it is used.
    field = spline_field(morph.target, values, shape, unit_px=morph.unit_px, softness=morph.softness)
    bent = None
    if warp is WarpMode.POSED:
        bent = _added(affine_map(np.eye(2, 3), shape), field[..., 2:])
    return Meeting(_added(flat, field[..., :2]), bent, _trust_map(morph, shape))


def sampled(image: Image, maps: Maps) -> Image:
    """*image* where the maps point, bicubic; edges are repeated outwards."""
    return np.asarray(cv2.remap(image, *maps, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def covered(shape: tuple[int, int], maps: Maps) -> FloatArray:
    """(H, W) float32: 1 where the maps point into a picture of (height, width) *shape*, else 0."""
    x, y = maps
    inside = (x >= 0) & (y >= 0) & (x <= shape[1] - 1) & (y <= shape[0] - 1)
    return inside.astype(np.float32)


def _five_point_field(face: Face, template: Face, back: Matrix, shape: tuple[int, int]) -> FloatArray:
    """The thin-plate residual over the five landmarks, held at zero on a ring around the face."""
    ring = _ring(face)
    target = face.landmarks5.astype(np.float64)
    residual = template.landmarks5 - apply(back, target)
    control, values = np.vstack([target, ring]), np.vstack([residual, np.zeros_like(ring)])
    return spline_field(control, values, shape, unit_px=face_frame(face.landmarks5).span_px)


def _ring(face: Face) -> FloatArray:
    frame = face_frame(face.landmarks5)
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    curve = np.column_stack([1.25 * np.cos(angle), 0.5 * frame.mouth_y + 1.4 * np.sin(angle)])
    return apply(frame.to_px, curve)


def affine_map(matrix: Matrix, shape: tuple[int, int]) -> Maps:
    """Where each pixel of a crop of (height, width) *shape* lands, by a (2, 3) matrix."""
    x = np.arange(shape[1], dtype=np.float32)
    y = np.arange(shape[0], dtype=np.float32)[:, None]
    (a, b, c), (d, e, f) = matrix.astype(np.float32)
    return a * x + (b * y + c), d * x + (e * y + f)


def _added(maps: Maps, field: FloatArray) -> Maps:
    return np.ascontiguousarray(maps[0] + field[..., 0]), np.ascontiguousarray(maps[1] + field[..., 1])


def _gauss(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """exp(-x^2 / 2) and a little more, so that points far from every landmark have a mean too."""
    return np.asarray(np.exp(-0.5 * x**2) + 1e-9)


def _trust_map(morph: Morph, shape: tuple[int, int]) -> FloatArray | None:
    """The landmarks' trust, averaged over the plane by nearness; on a grid, as it is smooth."""
    if morph.trust.min() > 0.99:
        return None
    step = max(4, round(morph.unit_px / 5))
    rows, columns = shape[0] // step + 2, shape[1] // step + 2
    # A product of two one-dimensional Gaussians: two small tables instead of one large one.
    scale = 1 / (_TRUST_SIGMA * morph.unit_px)
    across = _gauss((np.arange(columns) * step)[:, None] * scale - morph.target[:, 0] * scale)
    down = _gauss((np.arange(rows) * step)[:, None] * scale - morph.target[:, 1] * scale)
    total = down @ across.T
    coarse = ((down * morph.trust) @ across.T / total).astype(np.float32)[..., None]
    return upsampled(coarse, step, shape)[..., 0]
