"""Pastes a face that is aligned with the candidate; the same for every swapper."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from services.fusion.adapters.face_masks import FaceMask
from services.fusion.adapters.opencv_blend import blend_poisson, blend_pyramid
from services.fusion.domain.face import Face, FloatArray, Image
from services.fusion.domain.fusing import BlendMode, FuseOptions
from services.fusion.domain.geometry import face_outline
from services.fusion.domain.structure import PartMap

_MARGIN = 0.1
"""Room around the face for the coarse bands of the pyramid, as a share of its size."""
_COARSEST = 0.15
"""Coarsest detail that is blended by bands, in eye distances."""
_RIM_ALPHA = 0.08
"""Where less than this is pasted, bands may no longer spread: lips of weight 0 keep their colour."""
_LEAST_ALPHA = 0.004
"""Less than one level of 255."""


def work_box(face: Face, image: Image) -> tuple[int, int, int, int]:
    """The face's box with a margin, clipped to the picture; max exclusive."""
    outline = face_outline(face.landmarks5)
    if face.dense is not None and face.parts is not None:
        outline = np.vstack([outline, face.dense.points])
    low, high = outline.min(0), outline.max(0)
    margin = _MARGIN * float((high - low).max())
    height, width = image.shape[:2]
    x0, y0 = (int(np.clip(v, 0, m)) for v, m in zip(np.floor(low - margin), (width, height), strict=True))
    x1, y1 = (int(np.clip(v, 0, m)) for v, m in zip(np.ceil(high + margin), (width, height), strict=True))
    return x0, y0, max(x1, x0), max(y1, y0)


def moved(face: Face, corner: FloatArray) -> Face:
    """The face in pixels of a crop whose top left corner is *corner* (x, y)."""
    x, y = (float(v) for v in corner)
    dense, parts = face.dense, face.parts
    if dense is not None:
        dense = replace(dense, points=dense.points - corner)
    if parts is not None:
        x0, y0, x1, y1 = parts.box_px
        parts = PartMap(parts.labels, (x0 - x, y0 - y, x1 - x, y1 - y), parts.names)
    x0, y0, x1, y1 = face.box_px
    box = (x0 - x, y0 - y, x1 - x, y1 - y)
    return replace(face, box_px=box, landmarks5=face.landmarks5 - corner, dense=dense, parts=parts)


def join(warped: Image, base: Image, alpha: FloatArray, mask: FaceMask, options: FuseOptions) -> Image:
    """*warped* over *base* with *alpha* (H, W); outside of the mask and a short rim exactly *base*."""
    alpha = np.asarray(alpha, np.float32)
    if options.blend is BlendMode.POISSON:
        return keep_outside(blend_poisson(warped, base, alpha), base, alpha, mask)
    # Bands coarser than a part of the face would mix the colour of the hair into the brows.
    levels = max(1, round(float(np.log2(max(mask.unit_px * _COARSEST, 2.0)))))
    return keep_outside(blend_pyramid(warped, base, alpha, levels), base, alpha, mask)


def keep_outside(blended: Image, base: Image, alpha: FloatArray, mask: FaceMask) -> Image:
    """Limit a change to where *alpha* is and a short soft rim: coarse pyramid bands reach further."""
    # In small heads too a share of the face: three pixels would reach over the jaw of one of 25.
    reach = max(1, round(0.05 * mask.unit_px)) | 1
    grown = cv2.dilate((alpha > _RIM_ALPHA).astype(np.uint8), np.ones((reach, reach), np.uint8))
    rim = cv2.GaussianBlur(grown.astype(np.float32), (0, 0), reach / 3)
    rim = np.where(rim < 0.01, 0.0, np.clip(rim, 0, 1)) * mask.bare
    return mixed(blended, base, np.asarray(rim, np.float32))


def mixed(first: Image, second: Image, share: FloatArray) -> Image:
    """*share* (H, W) of the first picture and the rest of the second; exactly the second where it is 0."""
    sum_ = second + share[..., None] * (first.astype(np.float32) - second)
    return np.asarray(np.clip(sum_ + 0.5, 0, 255), np.uint8)


def box_mask_share(alpha: FloatArray, image: Image) -> float:
    """Share of the pixels of *image* that *alpha*, of a crop of it, is more than nothing at."""
    return float((alpha > _LEAST_ALPHA).sum()) / (image.shape[0] * image.shape[1])
