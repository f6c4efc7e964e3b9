"""What fusion knows about a face: it is told by the caller, never detected here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from services.fusion.domain.structure import DenseLandmarks, FoundMark, PartMap
from services.fusion.errors import NoFaceFound, SeveralFaces

Image = npt.NDArray[np.uint8]
"""RGB, H x W x 3, 0..255."""

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One detected face.

    Attributes:
        box_px: x0, y0, x1, y1; the maximum is exclusive.
        landmarks5: (5, 2) float32 pixels: left eye, right eye, nose, left mouth corner, right mouth
            corner; left is the viewer's left.
        embedding: (D,) float32 of L2 norm 1, for comparing, or empty where the caller needs no identity.
        identity_embedding: (D,) float32 of L2 norm 1, as the embedder gives it, for nets that take one;
            empty where the caller sent none.
        quality: fitness for use in [0, 1].
        yaw_deg: head turn in degrees; positive turns the face to the viewer's right.
        pitch_deg: positive looks up.
        judged_quality: technical quality in [0, 1] whatever the pose; None where no net judged it.
        defects: strength in [0, 1] by kind of defect; empty where no net judged them.
        sharpness: in [0, 1]; None where it was not measured.
        attributes: the most probable value by property, such as "hair_color": "red".
        dense: dense landmarks, None where the caller sent none of a known scheme.
        parts: part map, None where the caller sent none.
        marks: marks of the skin, the most confident first; None where they were not looked for.
    """

    box_px: tuple[float, float, float, float]
    landmarks5: FloatArray
    embedding: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    quality: float = 1.0
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    judged_quality: float | None = None
    defects: Mapping[str, float] = field(default_factory=dict)
    sharpness: float | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    dense: DenseLandmarks | None = None
    parts: PartMap | None = None
    marks: tuple[FoundMark, ...] | None = None
    identity_embedding: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))

    @property
    def size_px(self) -> float:
        """The longer side of the box."""
        x0, y0, x1, y1 = self.box_px
        return max(x1 - x0, y1 - y0)


def only_face(faces: Sequence[Face], image: str, *, min_face_px: float) -> Face:
    """The single face of an image; *min_face_px* is what the detector was asked for, for the message alone.

    Raises:
        NoFaceFound: there is none.
        SeveralFaces: there are more than one; which one was meant is not guessed.
    """
    if not faces:
        raise NoFaceFound(image=image, min_face_px=round(min_face_px))
    if len(faces) > 1:
        raise SeveralFaces(image=image, count=len(faces))
    return faces[0]
