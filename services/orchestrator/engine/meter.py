"""Estimates: how much of a portrait is done and how long the rest will take."""

import time
from collections.abc import Callable, Mapping

from services.orchestrator.domain.portrait import Stage
from services.orchestrator.engine.hub import Estimate

# Seconds per unit of work where a stage was never measured on this machine: order of magnitude on two cores.
DEFAULT_RATES_S: Mapping[Stage, float] = {
    Stage.ANALYSE: 0.3,
    Stage.TRAIN: 60.0,
    Stage.GENERATE: 4.0,
    Stage.FUSE: 0.5,
    Stage.RANK: 0.2,
    Stage.STORE: 0.1,
}


# Another round may follow, so all is done when the portrait has ended and not before.
_NEARLY_ALL = 0.99


def units_of_work(stage: Stage, candidate_count: int) -> int:
    """Return how many units a stage has: candidates, or one where their number does not matter."""
    return 1 if stage in (Stage.ANALYSE, Stage.TRAIN) else candidate_count


class Meter:
    """Follows one portrait through its stages; a stage that is repeated never moves it backwards."""

    def __init__(
        self, expected_s: Mapping[Stage, float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``expected_s`` names the portrait's stages in order, with the time expected for each."""
        self._expected_s = dict(expected_s)
        self._clock = clock
        self._order = list(expected_s)
        self._stage: Stage | None = None
        self._started_s = 0.0
        self._fraction = 0.0
        self._progress = 0.0

    def drop(self, stage: Stage) -> None:
        """Note that a stage is not needed after all."""
        self._expected_s.pop(stage, None)

    def enter(self, stage: Stage) -> Estimate:
        """A stage begins."""
        self._stage, self._started_s, self._fraction = stage, self._clock(), 0.0
        return self.estimate()

    def advance(self, fraction: float) -> Estimate:
        """This share of the stage is done, in [0, 1]."""
        self._fraction = max(self._fraction, min(1.0, fraction))
        return self.estimate()

    def estimate(self) -> Estimate:
        """Return the share done and the time left. No time is told before the first stage begins."""
        if self._stage is None:
            return Estimate(0.0, None)
        position = self._order.index(self._stage)
        before = sum(self._expected_s.get(stage, 0.0) for stage in self._order[:position])
        after = sum(self._expected_s.get(stage, 0.0) for stage in self._order[position + 1 :])
        own = self._expected_s.get(self._stage, 0.0)
        total = max(before + own + after, 1e-9)
        share = (before + own * self._fraction) / total
        self._progress = max(self._progress, min(_NEARLY_ALL, share))
        elapsed = self._clock() - self._started_s
        # The stage's own pace so far tells more than past ones, once there is enough of it.
        has_pace = self._fraction > 0.05 or (self._fraction > 0 and elapsed > own)
        left = elapsed * (1 - self._fraction) / self._fraction if has_pace else max(own - elapsed, 0.0)
        return Estimate(self._progress, left + after)
