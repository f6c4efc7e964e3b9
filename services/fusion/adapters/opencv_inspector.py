"""Looks at whole pictures: the embedded `PictureInspector`."""

from __future__ import annotations

import cv2
import numpy as np

from services.fusion.domain.face import FloatArray, Image
from services.fusion.errors import PictureDefect
from shared.errors import LikenessError

_SIDE = 16


class OpenCvInspector:
    """Thumbnail signatures and checks for blank, crushed or blown-out pictures."""

    def appearance(self, image: Image) -> FloatArray:
        """Unit vector of a 16 x 16 LAB thumbnail about its mean; see `PictureInspector.appearance`.

        Empty for a picture of a single colour, which has no looks to compare.
        """
        small = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        lab = cv2.cvtColor(small.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
        centred = (lab - lab.mean((0, 1))).ravel()
        norm = float(np.linalg.norm(centred))
        return np.asarray(centred / norm if norm > 1.0 else centred[:0], np.float32)

    def defect(self, image: Image, name: str) -> LikenessError | None:
        """See `PictureInspector.defect`."""
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
        if float(grey.std()) < 6.0:
            return PictureDefect(image=name, defect="it is blank")
        height, width = grey.shape
        centre = grey[height // 5 : height - height // 5, width // 4 : width - width // 4]
        if float((centre >= 253).mean()) > 0.5:
            return PictureDefect(image=name, defect="its middle is blown out")
        if float((centre <= 2).mean()) > 0.6:
            return PictureDefect(image=name, defect="its middle is black")
        return None
