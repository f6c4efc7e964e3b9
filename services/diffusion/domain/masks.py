"""Masks float32 [H, W] in [0, 1]: soft edges of a stated reach, latent cells, and the exact paste."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[np.float32]
Image = NDArray[np.uint8]


def feathered(mask: Array, reach: int) -> Array:
    """*mask* with a linear ramp around it: unchanged where it is 1, exactly 0 beyond *reach* cells or pixels.

    The ramp lies outside of the mask, so nothing of what the mask covers shows through at its edge.
    """
    blur = reach // 2
    # Wider than the blur by at most one: the blur of what is inside then never sees the outside.
    wide = _grown(_grown(mask, reach - blur).T, reach - blur).T
    return np.maximum(mask, smoothed(wide, blur))


def smoothed(values: Array, reach: int) -> Array:
    """Mean of *values* [H, W] over the square within *reach*; exactly 0 and 1 where all of it is."""
    return _mean(_mean(values, reach).T, reach).T


def cells(mask: Array, cell_px: int) -> Array:
    """Latent-sized mask [H / cell, W / cell]: the largest value of each cell, so that none is left out."""
    height, width = mask.shape
    largest: Array = mask.reshape(height // cell_px, cell_px, width // cell_px, cell_px).max(axis=(1, 3))
    return largest


def paste(drawn: Image, scene: Image, mask: Array) -> Image:
    """*drawn* where *mask* is 1, *scene* where it is 0, byte for byte, a mix in between; RGB uint8."""
    share = mask[..., None]
    return np.rint(share * drawn + (1 - share) * scene).astype(np.uint8)


def _grown(mask: Array, reach: int) -> Array:
    """Largest value within *reach* in each row."""
    padded = np.pad(mask, ((0, 0), (reach, reach)))
    largest: Array = sliding_window_view(padded, 2 * reach + 1, axis=1).max(axis=-1)
    return largest


def _mean(values: Array, reach: int) -> Array:
    """Mean within *reach* in each row; the border's values go on outside."""
    padded = np.pad(values, ((0, 0), (reach + 1, reach)), mode="edge").astype(np.float64)
    padded[:, 0] = 0
    # Running sums of zeros do not move, so their differences are exact zeros.
    sums = np.cumsum(padded, axis=1)
    width = 2 * reach + 1
    return ((sums[:, width:] - sums[:, :-width]) / width).astype(np.float32)
