"""What the use cases are asked for: pictures with the faces that the caller found in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.fusion.domain.face import Face, Image, only_face
from shared.errors.common import FieldInvalid


@dataclass(frozen=True, slots=True, eq=False)
class FacedPicture:
    """A picture with every face found in it; *name* is how messages call it."""

    name: str
    image: Image
    faces: tuple[Face, ...]

    def only_face(self, *, min_face_px: float) -> Face:
        """The one face, fit to align by.

        Raises:
            NoFaceFound: there is none.
            SeveralFaces: there are more.
            FieldInvalid: its landmarks span less than 2 px, or the eyes lie outside of the picture.
        """
        face = only_face(self.faces, self.name, min_face_px=min_face_px)
        eyes = face.landmarks5[:2]
        height, width = self.image.shape[:2]
        if not np.isfinite(face.landmarks5).all() or float(np.hypot(*(eyes[1] - eyes[0]))) < 2.0:
            raise FieldInvalid(field=f"landmarks of {self.name}", problem="the eyes coincide")
        if (eyes < 0).any() or (eyes[:, 0] >= width).any() or (eyes[:, 1] >= height).any():
            raise FieldInvalid(
                field=f"landmarks of {self.name}", problem="an eye lies outside of the picture"
            )
        return face
