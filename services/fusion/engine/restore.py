"""Use case: put the marks that recur over the references back onto a candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from services.fusion.domain.cover import is_bare
from services.fusion.domain.exemplars import strokes
from services.fusion.domain.face import Face, Image
from services.fusion.domain.head_map import FaceMap, face_map
from services.fusion.domain.marks import Sighting, recurring_marks
from services.fusion.domain.placement import LEAST_FACING, MarkSkip, PlacedMark, place_marks
from services.fusion.domain.ports import MarkFinder, MarkPainter
from services.fusion.domain.structure import FoundMark
from services.fusion.engine.lazy_picture import LazyPicture

Points = npt.NDArray[np.float64]

_MAX_FLAT_YAW_DEG = 32.0
"""With five landmarks only, a face turned further is off by more than the tolerance of recurrence."""


@dataclass(frozen=True, slots=True, eq=False)
class Restored:
    """The picture with its marks, and all marks of the person, the most confident first.

    Attributes:
        image: equal to the candidate where no mark was placed.
        marks: placed where `reason` is None, else left out for it.
    """

    image: Image
    marks: list[PlacedMark]


@dataclass(frozen=True, slots=True, eq=False)
class _Photo:
    """The `Photo` of one reference."""

    face: Face
    size_px: tuple[int, int]
    to_face: FaceMap
    sightings: tuple[Sighting, ...]

    @property
    def tolerance(self) -> float:
        return self.to_face.tolerance

    def shows(self, places: Points, radii: Points) -> npt.NDArray[np.bool_]:
        pixels = self.to_face.project(places)
        inside = ((pixels >= 0) & (pixels < self.size_px)).all(1)
        turned_here = self.to_face.facing(places) >= LEAST_FACING
        return np.asarray(inside & turned_here & is_bare(self.face, pixels, radii * self.to_face.scale_px))


def restore_marks(
    finder: MarkFinder,
    painter: MarkPainter,
    candidate: LazyPicture,
    references: Sequence[LazyPicture],
    *,
    min_face_px: float,
) -> Restored:
    """Keep of the references' marks what recurs, place it, and paint what shows.

    Marks that the caller did not have looked for are searched here. References turned by more than 32 degrees
    that have no dense landmarks are left out: they neither show a mark nor speak against one.

    Raises:
        NoFaceFound, SeveralFaces, FaceNotInPicture: it is not clear whose face is meant.
        FieldInvalid: landmarks that nothing can be aligned by.
    """
    face = candidate.face(min_face_px=min_face_px)
    faces = [reference.face(min_face_px=min_face_px) for reference in references]
    load = cache(lambda number: references[number].load())
    used = [n for n, f in enumerate(faces) if f.dense is not None or abs(f.yaw_deg) <= _MAX_FLAT_YAW_DEG]

    def found(number: int) -> Sequence[FoundMark]:
        known = faces[number].marks
        return known if known is not None else finder.find(load(number), faces[number])

    photos = [_photo(faces[n], references[n].size_px, found(n)) for n in used]
    marks = recurring_marks(photos)
    image = candidate.load()
    if not marks:
        return Restored(image, [])
    present = face.marks if face.marks is not None else finder.find(image, face)
    placed = place_marks(marks, face, face_map(face), candidate.size_px, present)
    shown = [k for k, mark in enumerate(placed) if mark.reason is None]
    todo = strokes([placed[k] for k in shown], [p.to_face for p in photos], [p.face for p in photos])
    image, painted = painter.paint(image, todo, lambda position: load(used[position]))
    for k, is_painted in zip(shown, painted, strict=True):
        if not is_painted:
            placed[k] = replace(placed[k], reason=MarkSkip.TOO_SMALL)
    return Restored(image, placed)


def _photo(face: Face, size_px: tuple[int, int], found: Sequence[FoundMark]) -> _Photo:
    """A reference with the marks that lie on bare skin of its face."""
    to_face = face_map(face)
    pixels = np.array([(mark.x_px, mark.y_px) for mark in found]).reshape(-1, 2)
    places = to_face.locate(pixels)
    facing = to_face.facing(places)
    on_skin = is_bare(face, pixels, np.full(len(found), 1.0)) & (facing > 0)
    sightings = tuple(
        Sighting(
            kind=mark.kind,
            x=float(place[0]),
            y=float(place[1]),
            radius=mark.radius_px / to_face.scale_px,
            confidence=mark.confidence,
            facing=float(cosine),
            px=(mark.x_px, mark.y_px),
        )
        for mark, place, cosine, is_there in zip(found, places, facing, on_skin, strict=True)
        if is_there
    )
    return _Photo(face, size_px, to_face, sightings)
