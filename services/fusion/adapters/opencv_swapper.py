"""Landmark-aligned fusion with OpenCV: the embedded `FaceSwapper`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from services.fusion.adapters.face_masks import FaceMask, build_mask
from services.fusion.adapters.face_warp import meet, sampled
from services.fusion.adapters.joining import box_mask_share, join, mixed, moved, work_box
from services.fusion.adapters.light import relit
from services.fusion.adapters.region_weights import eye_region, least_eye, weight_map
from services.fusion.domain.face import Face, FloatArray, Image
from services.fusion.domain.fusing import FuseOptions, RegionWeights, Template, WarpMode
from services.fusion.domain.geometry import similarity_transform
from services.fusion.domain.morph import Morph, plan_morph
from services.fusion.domain.occluders import wears_glasses
from services.fusion.domain.ports import Swapped

_LEAST_EYE = 0.5
"""Share of an eye that must be free in both pictures."""


class OpenCvSwapper:
    """Brings template and candidate to one geometry, the template into the candidate's light, and blends."""

    name = "opencv"

    def swap(self, image: Image, face: Face, template: Template, options: FuseOptions) -> Swapped:
        """See `FaceSwapper.swap`."""
        transform = similarity_transform(template.face.landmarks5, face.landmarks5)
        morph = plan_morph(face, template.face, options)
        warp = _warp_done(options.warp, morph)
        x0, y0, x1, y1 = box = work_box(face, image)
        crop = image[y0:y1, x0:x1]
        if options.strength <= 0 or crop.size == 0:
            return Swapped(image.copy(), transform, (x0, y0, x0, y0), 0.0, warp)
        corner = np.array([x0, y0], np.float32)
        local = moved(face, corner)
        if morph is not None:
            morph = replace(morph, target=morph.target - corner, candidate=morph.candidate - corner)
        to_crop = transform - np.array([[0, 0, x0], [0, 0, y0]])
        shape = crop.shape[0], crop.shape[1]
        meeting = meet(local, template, to_crop, shape, warp, morph)
        mask = build_mask(local, template, to_crop, meeting, shape)
        weight = _weights(local, template.face, morph, mask, options.weights)
        base = crop
        if meeting.candidate is not None:
            # The bent face is as the candidate's own at the outline, so that mixing shows no seam.
            base = mixed(sampled(crop, meeting.candidate), crop, np.minimum(2 * mask.outline, 1))
        made = relit(sampled(template.image, meeting.template), base, mask.skin, mask.tinted, mask.unit_px)
        alpha = mask.inside * weight * made.trust * options.strength
        out = image.copy()
        out[y0:y1, x0:x1] = join(made.image, base, alpha, mask, options)
        return Swapped(out, transform, box, box_mask_share(alpha, image), warp)


def _warp_done(asked: WarpMode, morph: Morph | None) -> WarpMode:
    """What is really done: without dense landmarks POSED is LANDMARKS."""
    return WarpMode.LANDMARKS if morph is None and asked is WarpMode.POSED else asked


def _weights(
    face: Face, template: Face, morph: Morph | None, mask: FaceMask, weights: RegionWeights
) -> FloatArray:
    """Region weights; the template gives both eyes or none.

    None where it wears glasses that the candidate does not, or where one of its eyes cannot be used.
    """
    shape = mask.inside.shape[0], mask.inside.shape[1]
    places = morph.target if morph is not None else None
    if places is None and face.dense is not None:
        places = face.dense.points.astype(np.float64)
    weight = weight_map(face, places, shape, weights)
    if places is None:
        return weight
    strange = wears_glasses(template) and not wears_glasses(face)
    if strange or least_eye(mask.inside, places) < _LEAST_EYE:
        weight = weight * (1 - eye_region(face, places, shape))
    return weight
