"""How a net gets to see a head: a square around the face's box, as the net's card says."""

from dataclasses import dataclass

import numpy as np

from services.face_analysis.domain.faces import Box, Floats, Rgb

_MOST_OVERSAMPLING = 8


@dataclass(frozen=True)
class HeadCrop:
    """A square of a picture at a net's size.

    Attributes:
        rgb: (S, S, 3) uint8 RGB.
        box_px: the square in the picture, whole pixels; may reach outside.
    """

    rgb: Rgb
    box_px: Box

    @property
    def pixels(self) -> Floats:
        """What nets take: (1, 3, S, S) float32 in [0, 1]."""
        batch: Floats = (self.rgb.astype(np.float32) / np.float32(255.0)).transpose(2, 0, 1)[None]
        return batch

    @property
    def picture_px_per_px(self) -> float:
        """Pixels of the picture for each of the crop."""
        return (self.box_px[2] - self.box_px[0]) / len(self.rgb)


def crop_head(rgb: Rgb, box_px: Box, scale: float, size_px: int) -> HeadCrop:
    """The square around the centre of a box, `scale` times its mean side, at size_px x size_px.

    Outside the photo the edge is repeated. Area averaging when shrinking, linear when enlarging: the same
    operations as in training (starter/data/headcrop.py).
    """
    import cv2

    x0, y0, x1, y1 = box_px
    side = max(1.0, scale * ((x1 - x0) + (y1 - y0)) / 2)
    left, top, length = round((x0 + x1 - side) / 2), round((y0 + y1 - side) / 2), max(1, round(side))
    square = _square(rgb, left, top, length, size_px)
    method = cv2.INTER_AREA if len(square) >= size_px else cv2.INTER_LINEAR
    crop: Rgb = np.asarray(cv2.resize(square, (size_px, size_px), interpolation=method), np.uint8)
    return HeadCrop(crop, (float(left), float(top), float(left + length), float(top + length)))


def _square(rgb: Rgb, left: int, top: int, length: int, size_px: int) -> Rgb:
    """A square of the photo, its edge repeated; a very large one comes reduced, which bounds the memory."""
    import cv2

    factor = length / (_MOST_OVERSAMPLING * size_px)
    if factor > 1:
        width, height = (max(1, round(side / factor)) for side in rgb.shape[1::-1])
        rgb = np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        left, top, length = round(left / factor), round(top / factor), _MOST_OVERSAMPLING * size_px
    rows = np.clip(np.arange(top, top + length), 0, rgb.shape[0] - 1)
    columns = np.clip(np.arange(left, left + length), 0, rgb.shape[1] - 1)
    square: Rgb = rgb[rows[:, None], columns]
    return square
