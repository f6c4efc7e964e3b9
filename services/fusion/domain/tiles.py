"""Work on a large picture piece by piece: bounded memory, no seams, and a place to stop between pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.fusion.domain.face import Image

PieceWork = Callable[[Image], Image]
"""(h, w, 3) uint8 -> (scale h, scale w, 3) uint8."""


@dataclass(frozen=True, slots=True)
class Tiling:
    """How a picture is cut. All numbers are pixels of the input; sides and starts are multiples of *step_px*.

    Attributes:
        side_px: largest side of a piece; a picture that is no larger stays whole.
        margin_px: rim of a piece that is thrown away where another piece goes on: there the work sees an edge
            that the picture does not have.
        feather_px: width of the strip over which two neighbours are mixed.
        step_px: pieces start at multiples of it, so that a net with strides lays its grid as on the whole.

    Raises:
        ValueError: pieces would not advance.
    """

    side_px: int = 640
    margin_px: int = 32
    feather_px: int = 32
    step_px: int = 16

    def __post_init__(self) -> None:
        if self.side_px - self.overlap_px < self.step_px or self.feather_px < 1:
            raise ValueError("tiles must be larger than what they share")

    @property
    def overlap_px(self) -> int:
        """What two neighbours have in common."""
        return 2 * self.margin_px + self.feather_px

    def pieces(self, length_px: int) -> Iterator[tuple[int, int]]:
        """Start and end of the pieces that cover [0, length_px)."""
        advance = (self.side_px - self.overlap_px) // self.step_px * self.step_px
        start = 0
        while start + self.side_px < length_px:
            yield start, start + self.side_px
            start += advance
        yield start, length_px

    def ramp(self, start: int, length: int, scale: int) -> npt.NDArray[np.float32]:
        """How much of a piece counts against what lies there already, (scale length,) in [0, 1]."""
        place = (np.arange(length * scale, dtype=np.float32) + 0.5) / scale
        if start == 0:
            return np.ones_like(place)
        return np.clip((place - self.margin_px) / self.feather_px, 0, 1)


def in_tiles(
    image: Image,
    work: PieceWork,
    *,
    scale: int,
    tiling: Tiling | None = None,
    before_piece: Callable[[], None] = lambda: None,
) -> Image:
    """`work(image)` in pieces, (scale H, scale W, 3) uint8.

    Besides the result there is never more than one row of pieces in memory. Equal to the work on the whole as
    far as the margin covers what a pixel's value depends on. *before_piece* may raise to stop.
    """
    tiling = tiling or Tiling()
    height, width = image.shape[:2]
    if max(height, width) <= tiling.side_px:
        before_piece()
        return work(image)
    out = np.empty((height * scale, width * scale, 3), np.uint8)
    for top, bottom in tiling.pieces(height):
        strip = np.empty(((bottom - top) * scale, width * scale, 3), np.uint8)
        for left, right in tiling.pieces(width):
            before_piece()
            made = work(np.ascontiguousarray(image[top:bottom, left:right]))
            ramp = tiling.ramp(left, right - left, scale)
            _mix_into(strip[:, left * scale : right * scale], made, ramp[None, :, None])
        # Whole strips are mixed: a single piece would bring its right rim in once more.
        ramp = tiling.ramp(top, bottom - top, scale)
        _mix_into(out[top * scale : bottom * scale], strip, ramp[:, None, None])
    return out


def _mix_into(area: Image, made: Image, weights: npt.NDArray[np.float32]) -> None:
    """Mix *made* into what lies in *area* by *weights* in [0, 1], which broadcast."""
    if (weights >= 1).all():
        area[:] = made
        return
    mixed = made * weights + area * (1 - weights)
    area[:] = np.clip(mixed + np.float32(0.5), 0, 255).astype(np.uint8)
