"""Use case: bring the best template's face into a candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.fusion.domain.face import Image
from services.fusion.domain.fusing import FuseOptions, Template, choose_template, pose_similarity
from services.fusion.domain.geometry import Matrix
from services.fusion.domain.ports import FaceSwapper
from services.fusion.engine.requests import FacedPicture


@dataclass(frozen=True, slots=True, eq=False)
class Fused:
    """A fused picture and how it came about.

    Attributes:
        image: RGB uint8, the candidate's size.
        template_index: which of the given templates was used.
        pose_similarity: in (0, 1]; 1 when template and candidate look the same way.
        transform: (2, 3) similarity, template pixels to candidate pixels.
        mask_share: share of the picture's pixels that the face mask covers, in [0, 1].
        changed_box_px: x0, y0, x1, y1; the smallest box around every changed pixel; all 0 without one.
        options: what was applied.
    """

    image: Image
    template_index: int
    pose_similarity: float
    transform: Matrix
    mask_share: float
    changed_box_px: tuple[int, int, int, int]
    options: FuseOptions


def fuse(
    swapper: FaceSwapper,
    candidate: FacedPicture,
    templates: Sequence[FacedPicture],
    options: FuseOptions,
    *,
    min_face_px: float,
) -> Fused:
    """Fuse the template that looks most like the candidate's pose into it.

    Raises:
        NoFaceFound, SeveralFaces: some picture has not exactly one face. The candidate is never handed back
            unfused. FieldInvalid: landmarks that nothing can be aligned by.
    """
    face = candidate.only_face(min_face_px=min_face_px)
    usable = [Template(t.name, t.image, t.only_face(min_face_px=min_face_px)) for t in templates]
    index = choose_template(face, usable)
    swapped = swapper.swap(candidate.image, face, usable[index], options)
    return Fused(
        swapped.image,
        index,
        pose_similarity(face, usable[index].face),
        swapped.transform,
        swapped.mask_share,
        _changed_box(candidate.image, swapped.image),
        options,
    )


def _changed_box(before: Image, after: Image) -> tuple[int, int, int, int]:
    """The smallest box around the pixels that differ; max exclusive."""
    rows, columns = np.nonzero((before != after).any(-1))
    if not rows.size:
        return 0, 0, 0, 0
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1
