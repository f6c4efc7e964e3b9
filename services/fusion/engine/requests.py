"""Whether the faces that a caller sent can be worked with."""

from __future__ import annotations

import numpy as np

from services.fusion.domain.face import Face
from shared.errors.common import FieldInvalid


def check_alignable(face: Face, name: str) -> None:
    """Whether something can be aligned by the landmarks.

    Raises:
        FieldInvalid: a number is not finite, the eyes span less than 2 px, or the dense landmarks coincide.
    """
    eyes = face.landmarks5[:2]
    if not np.isfinite(face.landmarks5).all() or float(np.hypot(*(eyes[1] - eyes[0]))) < 2.0:
        raise FieldInvalid(field=f"landmarks of {name}", problem="the eyes coincide")
    if face.dense is not None and float(face.dense.points.std(0).min()) < 1.0:
        raise FieldInvalid(field=f"dense_landmarks of {name}", problem="the points coincide")


def check_inside(face: Face, shape: tuple[int, ...], name: str) -> None:
    """Whether the eyes lie in a picture of *shape* (height, width, ...).

    Raises:
        FieldInvalid: one does not.
    """
    eyes = face.landmarks5[:2]
    if (eyes < 0).any() or (eyes[:, 0] >= shape[1]).any() or (eyes[:, 1] >= shape[0]).any():
        raise FieldInvalid(field=f"landmarks of {name}", problem="an eye lies outside of the picture")
