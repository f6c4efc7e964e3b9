"""What a fusion is asked for, and who gets which face."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np

from services.fusion.domain.face import Face, Image
from services.fusion.domain.people import FacesOfPicture
from services.fusion.domain.template_choice import Choice, choose_template
from services.fusion.engine.requests import check_alignable
from shared.errors.common import FieldInvalid


@dataclass(frozen=True, slots=True, eq=False)
class TemplatePhoto:
    """A reference photo that is read only if its face is chosen.

    Attributes:
        found: the faces found in it.
        position: which face is meant, from left to right; None for the named or the only one.
        read: decodes the picture.
    """

    found: FacesOfPicture
    position: int | None
    read: Callable[[], Awaitable[Image]]


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """Someone to be brought into the candidate.

    Attributes:
        name: "" where only one person is asked for.
        position: which face of the candidate is theirs; None for the named or the only one.
        templates: photos of them, at least one.
    """

    name: str
    position: int | None
    templates: tuple[TemplatePhoto, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """One face of the candidate, and the template that was chosen for it.

    Attributes:
        person: whose face it becomes.
        face_index: of the candidate's faces, as they were given.
        photo: the chosen template.
        template_face: the face in it.
        choice: why that one.
    """

    person: Person
    face_index: int
    photo: TemplatePhoto
    template_face: Face
    choice: Choice


def claims_of(candidate: FacesOfPicture, people: Sequence[Person], *, min_face_px: float) -> list[Claim]:
    """Give each person a face of the candidate and choose its template, from the faces alone.

    Raises:
        NoFaceFound, SeveralFaces, FaceNotInPicture: see `FacesOfPicture.choose`; of the candidate or of any
            template, so that a photo that cannot be used never goes unnoticed.
        FieldInvalid: a name or a face is claimed twice, or landmarks are such that nothing can be aligned.
    """
    twice = [name for name, count in Counter(p.name for p in people).items() if count > 1]
    if twice:
        raise FieldInvalid(field="people", problem=f"{sorted(twice)[0]} is given twice")
    claims, owner = [], dict[int, str]()
    for person in people:
        index = candidate.choose(position=person.position, person=person.name, min_face_px=min_face_px)
        if index in owner:
            problem = f"{owner[index]} and {person.name} claim the same face"
            raise FieldInvalid(field="people.face_position", problem=problem)
        owner[index] = person.name
        claims.append(_claim(candidate, index, person, min_face_px))
    return claims


def _claim(candidate: FacesOfPicture, index: int, person: Person, min_face_px: float) -> Claim:
    face = candidate.faces[index]
    check_alignable(face, candidate.name)
    faces = []
    for photo in person.templates:
        found = photo.found
        chosen = found.choose(position=photo.position, person=person.name, min_face_px=min_face_px)
        check_alignable(found.faces[chosen], found.name)
        faces.append(found.faces[chosen])
    choice = choose_template(face, faces)
    return Claim(person, index, person.templates[choice.index], faces[choice.index], choice)


def unclaimed(candidate: FacesOfPicture, claims: Sequence[Claim]) -> list[Face]:
    """The faces that nobody claims."""
    taken = {claim.face_index for claim in claims}
    return [face for index, face in enumerate(candidate.faces) if index not in taken]


def ellipse_of(face: Face, shape: tuple[int, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """(H, W): the ellipse in the face's box."""
    x0, y0, x1, y1 = face.box_px
    y, x = np.ogrid[0 : shape[0], 0 : shape[1]]
    across = (x + 0.5 - (x0 + x1) / 2) / max((x1 - x0) / 2, 0.5)
    down = (y + 0.5 - (y0 + y1) / 2) / max((y1 - y0) / 2, 0.5)
    return np.asarray(across**2 + down**2 <= 1)
