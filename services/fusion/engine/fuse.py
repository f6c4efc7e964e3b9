"""Use case: bring the face of each person's best template into a candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.fusion.domain.face import Face, Image
from services.fusion.domain.fusing import FuseOptions, Template, WarpMode
from services.fusion.domain.geometry import Matrix
from services.fusion.domain.people import FacesOfPicture
from services.fusion.domain.ports import FaceSwapper
from services.fusion.domain.template_choice import Choice
from services.fusion.engine.people import Claim, ellipse_of, unclaimed
from services.fusion.engine.requests import check_inside
from services.fusion.errors import PictureDefect

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class FusedFace:
    """What was done to one face.

    Attributes:
        name: of the person; "" where only one was asked for.
        face_position: from left to right, from 0.
        choice: which template was taken and why.
        mask_share: share of the picture's pixels that took something of the template, in [0, 1].
        warp: how the template was brought in.
        transform: (2, 3) similarity, template pixels to candidate pixels.
        changed_box_px: x0, y0, x1, y1; the smallest box around every changed pixel, max exclusive.
    """

    name: str
    face_position: int
    choice: Choice
    mask_share: float
    warp: WarpMode
    transform: Matrix
    changed_box_px: Box


@dataclass(frozen=True, slots=True, eq=False)
class Fused:
    """A fused picture and how it came about.

    Attributes:
        image: RGB uint8, the candidate's size.
        faces: one for each person, in their order.
        changed_box_px: as of a face, around all of them.
        options: what was applied.
        backend: name of what did it.
    """

    image: Image
    faces: tuple[FusedFace, ...]
    changed_box_px: Box
    options: FuseOptions
    backend: str


def fuse(
    swapper: FaceSwapper,
    image: Image,
    candidate: FacesOfPicture,
    claims: Sequence[Claim],
    pictures: Sequence[Image],
    options: FuseOptions,
) -> Fused:
    """Fuse the chosen templates, one person after the other.

    Args:
        swapper: what joins two faces.
        image: the candidate.
        candidate: its faces.
        claims: who gets which face; at least one.
        pictures: the chosen templates, one for each claim.
        options: how.

    Raises:
        FieldInvalid: an eye lies outside of its picture, or the swapper lacks something.
        PictureDefect: nothing of a face could be fused. The candidate is never handed back unfused.
    """
    others, order = unclaimed(candidate, claims), candidate.left_to_right()
    out, faces = image, []
    for claim, picture in zip(claims, pictures, strict=True):
        face = candidate.faces[claim.face_index]
        check_inside(face, image.shape, candidate.name)
        check_inside(claim.template_face, picture.shape, claim.photo.found.name)
        template = Template(claim.photo.found.name, picture, claim.template_face)
        swapped = swapper.swap(out, face, template, options)
        swapped = replace(swapped, image=_spared(out, swapped.image, swapped.changed_box_px, others))
        box = changed_box(out, swapped.image)
        if swapped.mask_share <= 0:
            defect = f"hair, glasses or the turn of the head leave nothing to fuse with {template.name}"
            raise PictureDefect(image=candidate.name, defect=defect)
        out = swapped.image
        position = order.index(claim.face_index)
        faces.append(
            FusedFace(
                claim.person.name,
                position,
                claim.choice,
                swapped.mask_share,
                swapped.warp,
                swapped.transform,
                box,
            )
        )
    return Fused(out, tuple(faces), changed_box(image, out), options, swapper.name)


def _spared(before: Image, after: Image, box: Box, others: Sequence[Face]) -> Image:
    """*after*, but as *before* where the faces of others are."""
    x0, y0, x1, y1 = box
    for face in others:
        left, top, right, bottom = face.box_px
        if left < x1 and x0 < right and top < y1 and y0 < bottom:
            after = np.where(ellipse_of(face, before.shape)[..., None], before, after)
    return after


def changed_box(before: Image, after: Image) -> Box:
    """The smallest box around the pixels that differ, max exclusive; all 0 without one."""
    rows, columns = np.nonzero((before != after).any(-1))
    if not rows.size:
        return 0, 0, 0, 0
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1
