"""Where a fused face may take from the template: inside of both faces, behind nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from services.fusion.adapters.face_warp import Maps, Meeting, affine_map, covered
from services.fusion.adapters.region_masks import face_mask, region_weight_map
from services.fusion.adapters.seen_parts import SeenParts, ramp
from services.fusion.domain.face import Face, FloatArray
from services.fusion.domain.fusing import RegionWeights, Template
from services.fusion.domain.geometry import Matrix, apply, face_frame, face_outline
from services.fusion.domain.occluders import bare_face, has_beard
from services.fusion.domain.structure import mean_face

_OUTLINE_EDGE, _OUTLINE_FEATHER = 0.02, 0.2
"""Where the face begins to fade in from its outline, and over which width, in eye distances."""
_CANDIDATE_EDGE, _TEMPLATE_EDGE = 0.02, 0.045
"""What is left free beside hair and glasses, in eye distances."""
_EDGE_FEATHER = 0.07
_SHADOWS = ((("headwear",), 0.22, 0.3), (("glasses",), 0.06, 0.25))
"""What throws shadows on the template, how far they reach, and the width over which they fade."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceMask:
    """Masks of a crop, (H, W) float32 in [0, 1].

    Attributes:
        inside: where the template may be pasted, fading out towards every edge.
        skin: where both faces show skin, for comparing their light.
        tinted: where the template shows skin, lips or beard, whose colour goes with the candidate's; None
            without a part map.
        bare: where nothing lies over the candidate's face: hair, glasses and hats are 0, to the pixel.
        outline: the whole face within its outline, whatever lies over it; 0 at the jaw line.
        unit_px: the eye distance that widths are measured by.
    """

    inside: FloatArray
    skin: FloatArray
    tinted: FloatArray | None
    bare: FloatArray
    outline: FloatArray
    unit_px: float


def build_mask(
    face: Face, template: Template, to_crop: Matrix, meeting: Meeting, shape: tuple[int, int]
) -> FaceMask:
    """The masks for one fusion; *face* in pixels of the crop."""
    outline, unit = outline_mask(face, shape), face_frame(face.landmarks5).span_px
    still: Maps = meeting.candidate or affine_map(np.eye(2, 3), shape)
    own = SeenParts.of(face, still, unit, cleaned=True)
    given = SeenParts.of(template.face, meeting.template, unit)
    with_beard = all(seen is not None and has_beard(seen.parts) for seen in (own, given))
    inside = outline * covered(template.image.shape[:2], meeting.template)
    if given is None:
        # Nothing tells the template's hair from its skin but its own outline.
        curve = apply(to_crop, face_outline(template.face.landmarks5))
        inside = np.minimum(inside, face_mask(face.landmarks5, curve, shape))
    skin = _common_skin(face, own, given, inside)
    tinted, bare = None, np.ones(shape, np.float32)
    if own is not None:
        where = bare_face(own.parts, with_beard=with_beard)
        bare = own.sampled(where)
        inside = np.minimum(inside, own.within(where, _CANDIDATE_EDGE, _EDGE_FEATHER))
    if given is not None:
        tinted = given.sampled(given.parts.share_of(("skin", "lips", "beard")))
        inside = np.minimum(inside, _usable(given, with_beard))
    if meeting.trust is not None:
        inside, skin = inside * meeting.trust, skin * meeting.trust
    inside, skin = np.asarray(inside, np.float32), np.asarray(skin, np.float32)
    return FaceMask(inside, skin, tinted, bare, outline, unit)


def outline_mask(face: Face, shape: tuple[int, int]) -> FloatArray:
    """(H, W) float32: 1 well inside of the face's outline, 0 on it."""
    if face.dense is None or face.parts is None:
        # Without a part map the hair line is a guess: the narrow outline of five landmarks is safer.
        return face_mask(face.landmarks5, None, shape)
    filled = np.zeros(shape, np.uint8)
    curve = face.dense.points[_outline_order()]
    cv2.fillPoly(filled, [np.round(curve * 16).astype(np.int32)], 1, shift=4)
    return ramp(filled, _OUTLINE_EDGE, _OUTLINE_FEATHER, face_frame(face.landmarks5).span_px)


@cache
def _outline_order() -> npt.NDArray[np.int64]:
    """Numbers of the landmarks around the face, from the chin over the viewer's left."""
    left = [f"left_jaw_{k}" for k in range(7, -1, -1)] + [f"left_forehead_{k}" for k in range(4)]
    right = [f"right_forehead_{k}" for k in range(3, -1, -1)] + [f"right_jaw_{k}" for k in range(8)]
    names = mean_face().names
    return np.array([names.index(name) for name in ("chin", *left, "forehead", *right)])


def _common_skin(
    face: Face, own: SeenParts | None, given: SeenParts | None, inside: FloatArray
) -> FloatArray:
    """(H, W): skin of both; without part maps all but eyes and mouth."""
    if own is None and given is None:
        shape = inside.shape[0], inside.shape[1]
        return inside * region_weight_map(face.landmarks5, shape, RegionWeights(0.0, 1.0, 0.0))
    skin = inside
    for seen in (own, given):
        if seen is not None:
            skin = np.minimum(skin, seen.sampled(seen.parts.share_of(("skin",))))
    return skin


def _usable(given: SeenParts, with_beard: bool) -> FloatArray:
    """(H, W): the template's bare face, clear of what lies over it and of the shadow of that."""
    usable = given.within(bare_face(given.parts, with_beard=with_beard), _TEMPLATE_EDGE, _EDGE_FEATHER)
    for names, edge, feather in _SHADOWS:
        clear = given.away_from(names, edge, feather)
        if clear is not None:
            usable = np.minimum(usable, clear)
    return usable
