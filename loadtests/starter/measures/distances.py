"""Distances between pictures: disruption by the identity, diversity, Fréchet distance to renders."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from loadtests.common.intervals import Estimate
from loadtests.starter.looks import Mask
from loadtests.starter.nets import Floats

COMPONENTS = 16
"""Principal components that the Fréchet distance looks at: a covariance of more would need more pictures."""
_Z = 1.959964


class FeatureSpace:
    """Features as held-out renders spread in them.

    Args:
        renders: features (N, D) of held-out renders.
    """

    def __init__(self, renders: Floats) -> None:
        self._middle = renders.mean(axis=0)
        _, spread, axes = np.linalg.svd(renders - self._middle, full_matrices=False)
        count = min(COMPONENTS, int((spread > 1e-9).sum()))
        # Renders have a total variance of 1, so that 1 reads as "as far as renders are from each other".
        self._axes = axes[:count] * np.sqrt(len(renders) / np.square(spread[:count]).sum())

    def similarity(self, one: Sequence[float], other: Sequence[float]) -> float:
        """Returns the cosine of what differs from the mean render: 1 the same, about 0 for strangers."""
        a, b = (np.asarray(values) - self._middle for values in (one, other))
        length = float(np.linalg.norm(a) * np.linalg.norm(b))
        return float(a @ b) / length if length > 0 else 1.0

    def project(self, features: Floats) -> Floats:
        """Returns features (N, D) in the principal components (N, COMPONENTS)."""
        return np.asarray((features - self._middle) @ self._axes.T, np.float64)


def frechet(one: Floats, other: Floats) -> float:
    """Returns |m1 - m2|² + tr(C1 + C2 - 2 (C1 C2)^½) of two clouds (N, D) (Heusel et al. 2017, FID)."""
    means = one.mean(axis=0) - other.mean(axis=0)
    first, second = (np.cov(cloud, rowvar=False, bias=True) for cloud in (one, other))
    values = np.linalg.eigvals(np.atleast_2d(first) @ np.atleast_2d(second))
    root = np.sqrt(np.clip(values.real, 0, None)).sum()
    return float(means @ means + np.trace(np.atleast_2d(first)) + np.trace(np.atleast_2d(second)) - 2 * root)


def frechet_of_people(clouds: Mapping[int, Floats], renders: Floats) -> Estimate:
    """Returns the Fréchet distance of all people's pictures to renders, with a jackknife interval.

    Drawing people again would not do: a cloud with repetitions is narrower, so that every drawn distance is
    too large. The jackknife leaves one person out at a time (Efron 1982).

    Raises: ValueError with fewer than two people.
    """
    people = sorted(clouds)
    if len(people) < 2:
        raise ValueError("an interval over people needs two of them")
    value = frechet(np.concatenate([clouds[one] for one in people]), renders)
    without = [
        frechet(np.concatenate([clouds[one] for one in people if one != left]), renders) for left in people
    ]
    spread = np.square(np.asarray(without) - np.mean(without)).sum()
    half = _Z * float(np.sqrt((len(people) - 1) / len(people) * spread))
    count = sum(len(cloud) for cloud in clouds.values())
    return Estimate(value, max(0.0, value - half), value + half, len(people), count)


def outside(
    one: NDArray[np.uint8], other: NDArray[np.uint8], heads: tuple[Mask | None, Mask | None]
) -> float | None:
    """Returns the mean difference of two pictures outside of both heads, in percent of the range of values.

    Args:
        one: RGB uint8 (S, S, 3).
        other: of the same size.
        heads: masks (S, S); None where a picture shows no face, so that the other's mask stands alone.

    Returns: None where neither has a mask, or the heads leave nothing.
    """
    known = [mask for mask in heads if mask is not None]
    if not known:
        return None
    rest = ~np.logical_or.reduce(known)
    if not rest.any():
        return None
    difference = np.abs(one.astype(np.int16) - other.astype(np.int16))[rest]
    return float(difference.mean() / 255 * 100)


def diversity(space: FeatureSpace, features: Sequence[Sequence[float]]) -> float | None:
    """Returns the mean of 1 - similarity over all pairs of one prompt's pictures; None for fewer than two."""
    pairs = list(combinations(features, 2))
    if not pairs:
        return None
    return float(np.mean([1 - space.similarity(one, other) for one, other in pairs]))
