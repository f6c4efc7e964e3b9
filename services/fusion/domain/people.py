"""Which face of a picture is meant: by position, by name, or because there is only one."""

from __future__ import annotations

from dataclasses import dataclass

from services.fusion.domain.face import Face, only_face
from services.fusion.errors import FaceNotInPicture, NoFaceFound
from shared.errors.common import FieldInvalid


@dataclass(frozen=True, slots=True, eq=False)
class FacesOfPicture:
    """All faces found in one picture.

    Attributes:
        name: how messages call the picture.
        faces: in any order.
        names: who each face is, in the order of *faces*, "" for a stranger; empty where nobody said.
    """

    name: str
    faces: tuple[Face, ...]
    names: tuple[str, ...] = ()

    def left_to_right(self) -> list[int]:
        """Indices in *faces* by the middle of the box: the position of a face is its place in this list."""
        return sorted(range(len(self.faces)), key=lambda i: self.faces[i].box_px[0] + self.faces[i].box_px[2])

    def choose(self, *, position: int | None, person: str, min_face_px: float) -> int:
        """Index in *faces* of the one that is meant.

        By *position* where it is given, else by the name of the *person* where the picture's faces have
        names, else the only one.

        Raises:
            NoFaceFound: the picture has none.
            FaceNotInPicture: it has no face at that position, or none of that name.
            SeveralFaces: nothing tells which one is meant.
            FieldInvalid: the names are not as many as the faces, or two faces have that name.
        """
        if self.names and len(self.names) != len(self.faces):
            problem = f"{len(self.names)} names for {len(self.faces)} faces"
            raise FieldInvalid(field=f"face_names of {self.name}", problem=problem)
        if not self.faces:
            raise NoFaceFound(image=self.name, min_face_px=round(min_face_px))
        if position is not None:
            return self._at(position)
        if person and self.names:
            return self._named(person)
        only_face(self.faces, self.name, min_face_px=min_face_px)
        return 0

    def _at(self, position: int) -> int:
        if not 0 <= position < len(self.faces):
            raise FaceNotInPicture(face=f"face {position}", image=self.name, count=len(self.faces))
        return self.left_to_right()[position]

    def _named(self, person: str) -> int:
        found = [index for index, name in enumerate(self.names) if name == person]
        if not found:
            raise FaceNotInPicture(face=f"face named {person}", image=self.name, count=len(self.faces))
        if len(found) > 1:
            raise FieldInvalid(field=f"face_names of {self.name}", problem=f"two faces are named {person}")
        return found[0]
