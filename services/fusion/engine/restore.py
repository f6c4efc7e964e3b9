"""Use case: put the marks that recur over the references back onto a candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.fusion.domain.face import Image
from services.fusion.domain.marks import RestoredMark, recurring_marks
from services.fusion.domain.ports import MarkFinder, MarkPainter
from services.fusion.engine.requests import FacedPicture

_MAX_YAW_DEG = 32.0
"""On a face turned further the flat face frame is off by more than the tolerance of recurrence."""


@dataclass(frozen=True, slots=True, eq=False)
class Restored:
    """The picture with its marks; equal to the candidate where no mark was painted."""

    image: Image
    marks: list[RestoredMark]


def restore_marks(
    finder: MarkFinder,
    painter: MarkPainter,
    candidate: FacedPicture,
    references: Sequence[FacedPicture],
    *,
    min_face_px: float,
) -> Restored:
    """Find, keep what recurs, and paint.

    A mark must show in two references, or in the only one that was given. References turned away by more
    than 32 degrees are not searched, but do not count as given either.

    Raises:
        NoFaceFound, SeveralFaces: some picture has not exactly one face.
        FieldInvalid: landmarks that nothing can be aligned by.
    """
    face = candidate.only_face(min_face_px=min_face_px)
    faced = [(r.image, r.only_face(min_face_px=min_face_px)) for r in references]
    sightings = [finder.find(image, f) for image, f in faced if abs(f.yaw_deg) <= _MAX_YAW_DEG]
    required = 2 if len(references) > 1 else 1
    marks = recurring_marks(sightings, required=required)
    if not marks:
        return Restored(candidate.image, [])
    image, placed = painter.paint(candidate.image, face, marks)
    return Restored(image, placed)
