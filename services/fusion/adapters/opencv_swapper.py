"""Landmark-aligned fusion with OpenCV: the embedded `FaceSwapper`."""

from __future__ import annotations

import cv2
import numpy as np

from services.fusion.adapters.landmark_warp import landmark_map
from services.fusion.adapters.opencv_blend import blend_poisson, blend_pyramid, match_colour
from services.fusion.adapters.region_masks import face_mask, region_weight_map
from services.fusion.domain.face import Face, FloatArray, Image
from services.fusion.domain.fusing import BlendMode, FuseOptions, RegionWeights, Template, WarpMode
from services.fusion.domain.geometry import Matrix, apply, face_outline, similarity_transform
from services.fusion.domain.ports import Swapped

_MARGIN = 0.25
"""Room around the face's outline for the coarse bands of the pyramid, as a share of its size."""


class OpenCvSwapper:
    """Aligns the template by a similarity of the five landmarks, matches colour in LAB, and blends."""

    def swap(self, image: Image, face: Face, template: Template, options: FuseOptions) -> Swapped:
        """See `FaceSwapper.swap`."""
        transform = similarity_transform(template.face.landmarks5, face.landmarks5)
        box = _work_box(face, image)
        x0, y0, x1, y1 = box
        crop = image[y0:y1, x0:x1]
        if options.strength <= 0 or crop.size == 0:
            return Swapped(image.copy(), transform, (x0, y0, x0, y0), 0.0)
        local = face.landmarks5 - np.array([x0, y0], np.float32)
        to_crop = transform - np.array([[0, 0, x0], [0, 0, y0]])
        warped, covered = _warp(template, local, to_crop, crop.shape[:2], options.warp)
        # Both outlines must agree: the template's own keeps its hair and background out.
        own_outline = apply(to_crop, face_outline(template.face.landmarks5))
        inside = face_mask(local, own_outline, crop.shape[:2]) * covered
        skin = inside * region_weight_map(local, crop.shape[:2], RegionWeights(0.0, 1.0, 0.0))
        warped = match_colour(warped, crop, skin)
        alpha = inside * region_weight_map(local, crop.shape[:2], options.weights) * options.strength
        blend = blend_poisson if options.blend is BlendMode.POISSON else blend_pyramid
        blended = blend(warped, crop, alpha)
        out = image.copy()
        out[y0:y1, x0:x1] = _keep_outside(blended, crop, inside)
        mask_share = float((inside > 0).sum()) / (image.shape[0] * image.shape[1])
        return Swapped(out, transform, box, mask_share)


def _work_box(face: Face, image: Image) -> tuple[int, int, int, int]:
    """The outline's box with a margin, clipped to the picture; max exclusive."""
    outline = face_outline(face.landmarks5)
    low, high = outline.min(0), outline.max(0)
    margin = _MARGIN * float((high - low).max())
    height, width = image.shape[:2]
    x0, y0 = (int(np.clip(v, 0, m)) for v, m in zip(np.floor(low - margin), (width, height), strict=True))
    x1, y1 = (int(np.clip(v, 0, m)) for v, m in zip(np.ceil(high + margin), (width, height), strict=True))
    return x0, y0, max(x1, x0), max(y1, y0)


def _warp(
    template: Template, local: FloatArray, to_crop: Matrix, shape: tuple[int, int], warp: WarpMode
) -> tuple[Image, FloatArray]:
    """The template in the crop's frame, and where it has pixels of its own (1) or none (0)."""
    height, width = shape
    white = np.ones(template.image.shape[:2], np.float32)
    if warp is WarpMode.LANDMARKS:
        x, y = landmark_map(template.face.landmarks5, local, to_crop, shape)
        warped = cv2.remap(template.image, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        covered = cv2.remap(white, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    else:
        size = (width, height)
        warped = cv2.warpAffine(
            template.image, to_crop, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        covered = cv2.warpAffine(white, to_crop, size, flags=cv2.INTER_LINEAR)
    return np.asarray(warped, np.uint8), np.asarray(covered, np.float32)


def _keep_outside(blended: Image, crop: Image, inside: FloatArray) -> Image:
    """Limit the change to the mask and a short soft rim; coarse pyramid bands reach further than that."""
    reach = max(3, int(0.06 * max(inside.shape))) | 1
    rim = cv2.GaussianBlur(cv2.dilate(inside, np.ones((reach, reach), np.uint8)), (0, 0), reach / 3)
    rim = np.where(rim < 0.004, 0.0, np.clip(rim, 0, 1)).astype(np.float32)[..., None]
    mixed = crop + rim * (blended.astype(np.float32) - crop)
    return np.asarray(np.clip(mixed + 0.5, 0, 255), np.uint8)
