"""Thresholds by number of references, also for more references than the pictures of a person allow."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from shared.gates.bootstrap import PersonDraws
from shared.gates.gate import OperatingPoint
from shared.gates.scores import Floats, Scores

_STEPS = 1e6
"""Thresholds are multiples of one millionth."""


class Strangers:
    """Similarities of strangers to so many references as were measured, and what more of them would do.

    The chance that any of n references lets a stranger through is concave in n where it is chance which
    pictures serve as references: a further reference adds no more than the last one did. So n references
    let through at most f(m) + (n - m) (f(m) - f(m - 1)), with f as measured.
    """

    def __init__(self, scores: Scores) -> None:
        self.references = scores.references
        is_compared = np.isfinite(scores.strangers)
        self._falling: Floats = np.sort(scores.strangers[is_compared])[::-1]
        rising: Floats = np.sort(scores.fewer[is_compared])
        self._fewer = len(rising) - np.searchsorted(rising, self._falling, side="left")

    def threshold_for(self, rate: float, references: int) -> float:
        """The least multiple of a millionth at which at most a share *rate* is let through.

        Args:
            rate: in (0, 1).
            references: at least those measured; for more the share is the bound above.
        """
        accepted = np.arange(1, len(self._falling) + 1)
        most = accepted + (references - self.references) * (accepted - self._fewer)
        is_over = most > rate * len(self._falling) + 1e-9
        first = int(is_over.argmax()) if is_over.any() else len(is_over) - 1
        value = self._falling[first]
        step = math.floor(float(value) * _STEPS) + 1
        # Compared in float32, a threshold a hair above the value may round to it.
        return (step if np.float32(step / _STEPS) > value else step + 1) / _STEPS


def points_of(
    scores: Sequence[Scores], references: Sequence[int], rates: Sequence[float], draws: PersonDraws
) -> tuple[OperatingPoint, ...]:
    """Operating points for every number of references and every rate; thresholds never fall with the number.

    Args:
        scores: with 1, 2, ... references.
        references: the numbers wanted, rising.
        rates: the false-accept rates wanted.
        draws: for the intervals.
    """
    strangers = [Strangers(one) for one in scores]
    points = []
    for rate in rates:
        lowest = -1.0
        for count in references:
            lowest = max(lowest, strangers[min(count, len(scores)) - 1].threshold_for(rate, count))
            points.append(_point(count, rate, lowest, scores, draws))
    return tuple(sorted(points, key=lambda point: (point.references, -point.rate)))


def _point(
    count: int, rate: float, threshold: float, scores: Sequence[Scores], draws: PersonDraws
) -> OperatingPoint:
    measured = min(count, len(scores))
    # Against more references one's own pictures are turned away no more often: the most there are bound it.
    own = max(one.references for one in scores if one.references <= count and len(one.own))
    accepted, accepted_interval = draws.accepted(scores[measured - 1], threshold, count - measured)
    rejected, rejected_interval = draws.rejected(scores[own - 1], threshold)
    is_bound = count > measured or count > own
    return OperatingPoint(
        count, rate, threshold, accepted, accepted_interval, rejected, rejected_interval, is_bound
    )
