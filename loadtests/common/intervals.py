"""Figures with what they are worth: bootstrap intervals over identities, and of shares."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

RESAMPLES = 2000
_COVERED = (2.5, 97.5)


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval, and from how many people and values it is."""

    value: float
    low: float
    high: float
    people: int
    count: int

    def as_json(self) -> dict[str, float | int]:
        """Returns it for a report."""
        return asdict(self)

    def text(self, digits: int = 3) -> str:
        """Returns "0.123 [0.100, 0.150]"."""
        return f"{self.value:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


def mean_of_people(values: Mapping[int, Sequence[float]], seed: int = 0) -> Estimate:
    """Returns the mean over all values; people are drawn again with all of their values.

    Pictures of one person are alike, so drawing single pictures would make the interval too narrow
    (cluster bootstrap, Davison and Hinkley 1997, section 3.8).

    Raises: ValueError without values.
    """
    return ratio_of_people({name: [(value, 1.0) for value in known] for name, known in values.items()}, seed)


def estimate(parts: Mapping[int, Sequence[float]]) -> dict[str, float | int] | None:
    """Returns the mean with its interval, for JSON; None where nothing was measured."""
    known = {number: values for number, values in parts.items() if len(values)}
    return mean_of_people(known).as_json() if known else None


def ratio_of_people(parts: Mapping[int, Sequence[tuple[float, float]]], seed: int = 0) -> Estimate:
    """Returns the sum of all numerators over that of all denominators, such as found over true marks.

    Raises: ValueError if the denominators sum to 0.
    """
    sums = np.array([np.sum(pairs, axis=0) for pairs in parts.values() if len(pairs)], np.float64)
    if not len(sums) or not sums[:, 1].sum() > 0:
        raise ValueError("no values, no figure")
    count = sum(len(pairs) for pairs in parts.values())
    return _bootstrap(sums, lambda drawn: drawn[..., 0].sum(-1) / drawn[..., 1].sum(-1), seed, count)


def _bootstrap(
    sums: np.ndarray, figure: Callable[[np.ndarray], np.ndarray], seed: int, count: int
) -> Estimate:
    drawn = np.random.default_rng(seed).integers(0, len(sums), (RESAMPLES, len(sums)))
    with np.errstate(invalid="ignore", divide="ignore"):
        figures = figure(sums[drawn])
    low, high = np.percentile(figures[np.isfinite(figures)], _COVERED)
    return Estimate(float(figure(sums[None])[0]), float(low), float(high), len(sums), count)


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Returns the 95 % interval of a share, which is not empty at 0 hits (Wilson 1927).

    Raises: ValueError without trials.
    """
    if count <= 0:
        raise ValueError("no trials, no interval")
    z = 1.959964
    share = hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count**2)) / (1 + z * z / count)
    # The share itself belongs to it, whatever the last bit says.
    return max(0.0, min(share, float(middle - half))), min(1.0, max(share, float(middle + half)))
