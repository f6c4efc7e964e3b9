"""How a head is cut out of a photo for the attribute net."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

BOX_SCALE = 2.2


def crop_rule(scale: float, size: int) -> str:
    """The rule of `crop_head` in words, for the card of a net."""
    return (
        "Square around the centre of the box of dlib's HOG frontal face detector (x0, y0, x1, y1 in "
        f"pixels); side = {scale} x the mean of its width and height; pixels outside the photo repeat the "
        f"nearest edge pixel; resized to {size} x {size} by area averaging (linear when enlarging); RGB, "
        "float32, divided by 255."
    )


def crop_head(
    rgb: NDArray[np.uint8], box_px: tuple[int, int, int, int], size: int, scale: float = BOX_SCALE
) -> NDArray[np.uint8]:
    """Cut a head by `crop_rule`; uint8 RGB (H, W, 3) -> (size, size, 3)."""
    x0, y0, x1, y1 = box_px
    side = scale * ((x1 - x0) + (y1 - y0)) / 2
    left, top = (x0 + x1 - side) / 2, (y0 + y1 - side) / 2
    pad = int(np.ceil(max(0.0, -left, -top, left + side - rgb.shape[1], top + side - rgb.shape[0])))
    padded = cv2.copyMakeBorder(rgb, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    x, y, length = round(left) + pad, round(top) + pad, max(1, round(side))
    square = padded[max(0, y) : y + length, max(0, x) : x + length]
    method = cv2.INTER_AREA if length >= size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square, (size, size), interpolation=method), np.uint8)
