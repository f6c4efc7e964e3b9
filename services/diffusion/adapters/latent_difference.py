"""Regions without a parser: where the estimates with and without the person differ."""

import numpy as np
from numpy.typing import NDArray

from services.diffusion.domain.masks import smoothed

Array = NDArray[np.float32]

# DiffEdit's values: outliers are cut off, what is left is scaled to 0..1 and split at a half.
_OUTLIER_QUANTILE = 0.95
_THRESHOLD = 0.5
_SMOOTHING_SHARE = 1 / 8


class LatentDifference:
    """A mask as in DiffEdit (Couairon et al., arXiv 2210.11427).

    DiffEdit averages over several draws of noise; here the one estimate that the step already has is smoothed
    over an eighth of the picture each way instead, which costs no row. The person changes what the person's
    tokens change: mostly face and hair, a strong identity may touch clothes too. A parser is more exact.
    """

    description = "difference"

    def find(self, with_identity: Array, without_identity: Array) -> Array:
        """Mask float32 [h, w] of 0 and 1; all 0 where the estimates are the same."""
        change = np.abs(with_identity - without_identity).mean(axis=0)
        smooth = smoothed(change, max(1, round(max(change.shape) * _SMOOTHING_SHARE)))
        most = float(np.quantile(smooth, _OUTLIER_QUANTILE))
        if most <= 0:
            return np.zeros_like(smooth)
        return (smooth >= _THRESHOLD * most).astype(np.float32)
