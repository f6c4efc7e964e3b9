"""Error rates of a threshold with intervals, by resampling people."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.gates.gate import Interval
from shared.gates.scores import Counts, Scores

_DRAWS = 500
_ENDS = (2.5, 97.5)
# Of n trials without an event the chance of one is under 3 / n, with 95 % confidence (the rule of three).
_UNSEEN = 3.0


class PersonDraws:
    """Draws of as many people as there are, with replacement: how often each is in each draw.

    Pictures of one person are alike, so that comparisons are no independent trials; people are. A person who
    is drawn counts as picture and as reference (the subsets bootstrap: Bolle, Ratha, Pankanti, "Error
    analysis of pattern recognition systems: the subsets bootstrap", CVIU 93, 2004).
    """

    def __init__(self, person_count: int, *, seed: int = 0) -> None:
        shares = np.full(person_count, 1 / person_count)
        draws = np.random.default_rng(seed).multinomial(person_count, shares, size=_DRAWS)
        self._weights = draws.astype(np.float32)

    def accepted(self, scores: Scores, threshold: float, beyond: int = 0) -> tuple[float, Interval]:
        """Share of strangers let through, and its interval; see `Scores.accepted_by_person`."""
        hits, trials = scores.accepted_by_person(threshold, beyond), scores.compared_by_person()
        return _with_interval(
            float(hits.sum()),
            float(trials.sum()),
            self._pairs(hits, scores.others) / np.maximum(self._pairs(trials, scores.others), 1),
        )

    def rejected(self, scores: Scores, threshold: float) -> tuple[float, Interval]:
        """Share of the people's own pictures turned away, and its interval."""
        count = self._weights.shape[1]
        hits = np.bincount(scores.own_person[scores.own < threshold], minlength=count)
        trials = np.bincount(scores.own_person, minlength=count)
        drawn = (self._weights @ hits) / np.maximum(self._weights @ trials, 1)
        return _with_interval(float(hits.sum()), float(trials.sum()), drawn)

    def _pairs(self, counts: Counts, others: npt.NDArray[np.int64]) -> npt.NDArray[np.floating]:
        """Counts of pairs, (P, J), summed in every draw: (draws,)."""
        total: npt.NDArray[np.floating] = ((self._weights @ counts) * self._weights[:, others]).sum(axis=1)
        return total


def _with_interval(hits: float, trials: float, drawn: npt.NDArray[np.floating]) -> tuple[float, Interval]:
    low, high = np.percentile(drawn, _ENDS)
    if hits == 0:
        high = _UNSEEN / trials
    return min(1.0, hits / trials), (max(0.0, float(low)), min(1.0, float(high)))
