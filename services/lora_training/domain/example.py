"""One picture to learn from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class TrainingExample:
    """A picture with what is known about it.

    Attributes:
        image: RGB uint8 (H, W, 3), upright.
        caption: what it shows, in the words of the base model; empty = unconditional.
        landmarks5_px: float32 (5, 2): left eye, right eye, nose, left and right mouth corner, pixels, left =
            the viewer's. With them the crop is aligned to the model's framing and the loss leans to the face;
            None crops the centre square and weighs all of it alike.
    """

    image: npt.NDArray[np.uint8]
    caption: str
    landmarks5_px: npt.NDArray[np.float32] | None = field(default=None)

    def digest(self) -> str:
        """Hex SHA-256 over pixels, shape, caption and landmarks: equal digests train equally."""
        hasher = hashlib.sha256(repr((self.image.shape, self.caption)).encode())
        hasher.update(np.ascontiguousarray(self.image).tobytes())
        if self.landmarks5_px is not None:
            hasher.update(np.ascontiguousarray(self.landmarks5_px, np.float32).tobytes())
        return hasher.hexdigest()
