"""A picture with the face that is meant, whose pixels are read only where they are needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.fusion.domain.face import Face, Image
from services.fusion.domain.people import FacesOfPicture
from services.fusion.engine.requests import check_alignable, check_inside


@dataclass(frozen=True, slots=True, eq=False)
class LazyPicture:
    """A picture with the faces found in it.

    Attributes:
        found: its name and faces.
        position: which face is meant, from left to right; None for the only one.
        size_px: width and height.
        load: decodes it, to RGB; each call decodes anew.
    """

    found: FacesOfPicture
    position: int | None
    size_px: tuple[int, int]
    load: Callable[[], Image]

    def face(self, *, min_face_px: float) -> Face:
        """The face that is meant, fit to align by.

        Raises:
            NoFaceFound, SeveralFaces, FaceNotInPicture: see `FacesOfPicture.choose`.
            FieldInvalid: nothing can be aligned by its landmarks, or an eye lies outside of the picture.
        """
        face = self.found.faces[self.found.choose(position=self.position, person="", min_face_px=min_face_px)]
        check_alignable(face, self.found.name)
        check_inside(face, (self.size_px[1], self.size_px[0]), self.found.name)
        return face
