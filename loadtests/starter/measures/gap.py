"""The domain gap: how far photographs' embeddings lie from where renders' do."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loadtests.starter.nets import Floats

SHRINKAGE = 0.1
"""Share of the mean variance that every direction gets: no render varies in some of them."""


_LEAST = 1e-9


@dataclass(frozen=True)
class Gap:
    """How far one embedding lies from the renders' mean.

    Attributes:
        distance: Euclidean, of L2-normalised embeddings.
        against_renders: the same over the mean of it for renders: 1 is a typical render.
        deviations: root mean square over the dimensions of its distance in renders' standard deviations:
            1 is a typical render.
        mahalanobis: the same along the directions in which renders vary, with `SHRINKAGE`: 1 is typical.
    """

    distance: float
    against_renders: float
    deviations: float
    mahalanobis: float


class Renders:
    """Where renders' embeddings lie; embeddings (N, D) of held-out people, L2-normalised."""

    def __init__(self, embeddings: Floats) -> None:
        if len(embeddings) < 2:
            raise ValueError("a spread needs two renders")
        self._middle = embeddings.mean(axis=0)
        off = embeddings - self._middle
        self._sigma = np.maximum(off.std(axis=0), _LEAST)
        self._typical = max(float(np.linalg.norm(off, axis=1).mean()), _LEAST)
        covariance = off.T @ off / len(off)
        # The floor keeps renders that are all alike from having no spread at all.
        even = max(float(np.trace(covariance)) / len(covariance), _LEAST)
        # Shrunk towards a sphere (Ledoit and Wolf 2004), with a fixed share.
        shrunk = (1 - SHRINKAGE) * covariance + SHRINKAGE * even * np.eye(len(covariance))
        self._inverse = np.linalg.inv(shrunk)
        distances = np.einsum("nd,de,ne->n", off, self._inverse, off)
        self._typical_mahalanobis = max(float(np.sqrt(distances.mean())), _LEAST)

    def gap(self, embedding: Sequence[float]) -> Gap:
        """Returns how far an embedding lies from the mean."""
        off = np.asarray(embedding, np.float64) - self._middle
        distance = float(np.linalg.norm(off))
        return Gap(
            distance,
            distance / self._typical,
            float(np.sqrt(np.mean(np.square(off / self._sigma)))),
            float(np.sqrt(off @ self._inverse @ off)) / self._typical_mahalanobis,
        )
