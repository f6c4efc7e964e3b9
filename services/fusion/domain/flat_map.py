"""Places on a face of which only five landmarks are known: the face as a flat disc."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.fusion.domain.face import FloatArray
from services.fusion.domain.geometry import FaceFrame, apply, face_frame, invert

Points = npt.NDArray[np.float64]

_RADII = np.array([0.92, 1.2])
_MIDDLE_Y = 0.40


@dataclass(frozen=True, slots=True, eq=False)
class FlatMap:
    """The `FaceMap` of five landmarks: a similarity, so that only pose in the plane is accounted for."""

    frame: FaceFrame

    @classmethod
    def of(cls, landmarks5: FloatArray) -> FlatMap:
        """The frame of the landmarks (5, 2)."""
        return cls(face_frame(landmarks5))

    @property
    def scale_px(self) -> float:
        """See `FaceMap.scale_px`."""
        return self.frame.span_px

    @property
    def tolerance(self) -> float:
        """See `FaceMap.tolerance`; five landmarks place a mark by about 4 %."""
        return 0.09

    def project(self, places: Points) -> Points:
        """See `FaceMap.project`."""
        return np.asarray(apply(self.frame.to_px, places), np.float64)

    def locate(self, pixels: Points) -> Points:
        """See `FaceMap.locate`."""
        return np.asarray(apply(invert(self.frame.to_px), pixels), np.float64)

    def jacobian(self, places: Points) -> Points:
        """See `FaceMap.jacobian`."""
        return np.tile(self.frame.to_px[:, :2], (len(places), 1, 1))

    def facing(self, places: Points) -> Points:
        """See `FaceMap.facing`; 1 inside of an ellipse that leans to where the nose points."""
        offset = (places - (0.6 * self.frame.nose_x, _MIDDLE_Y)) / _RADII
        return np.asarray((offset**2).sum(1) < 1, np.float64)
