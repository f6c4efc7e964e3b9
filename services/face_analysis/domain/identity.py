"""Whose face is it: grouping the photos of one set by person."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.face_analysis.domain.faces import Floats, normalised


@dataclass(frozen=True)
class IdentityGroups:
    """The photos of a set, partitioned by person. Numbers are positions in the given sequence."""

    groups: tuple[tuple[int, ...], ...]
    """Largest first; equal sizes in the order of their first photo."""

    @property
    def is_tied(self) -> bool:
        """True when no single largest group exists, so nobody can say who the set is of."""
        return len(self.groups) > 1 and len(self.groups[0]) == len(self.groups[1])

    @property
    def reference(self) -> tuple[int, ...]:
        """The photos of the person the set is of; empty when tied or when there are no photos."""
        return () if self.is_tied or not self.groups else self.groups[0]


def group_by_person(embeddings: Sequence[Floats], same_person_similarity: float) -> IdentityGroups:
    """Agglomerative clustering with average linkage on cosine similarity.

    Two groups merge while the mean similarity across them is at least `same_person_similarity`. The mean
    over pairs forgives one odd pair (another pose, glasses) that single comparisons would stumble over.
    Deterministic; O(n^3), meant for sets of at most a few hundred photos.
    """
    groups: list[list[int]] = [[i] for i in range(len(embeddings))]
    if not groups:
        return IdentityGroups(())
    matrix = np.stack(list(embeddings)).astype(np.float64)
    linkage = matrix @ matrix.T
    np.fill_diagonal(linkage, -np.inf)
    while len(groups) > 1:
        i, j = sorted(divmod(int(np.argmax(linkage)), len(groups)))
        if linkage[i, j] < same_person_similarity:
            break
        _merge(linkage, i, j, len(groups[i]), len(groups[j]))
        groups[i] += groups.pop(j)
        linkage = np.delete(np.delete(linkage, j, axis=0), j, axis=1)
    ordered = sorted((tuple(sorted(group)) for group in groups), key=lambda g: (-len(g), g[0]))
    return IdentityGroups(tuple(ordered))


def _merge(linkage: npt.NDArray[np.float64], i: int, j: int, n: int, m: int) -> None:
    """Row and column i become the average linkage of the union of i and j (Lance-Williams)."""
    merged = (n * linkage[i] + m * linkage[j]) / (n + m)
    merged[i] = -np.inf
    linkage[i], linkage[:, i] = merged, merged


def mean_embedding(embeddings: Sequence[Floats]) -> Floats:
    """The direction of the mean, shape (D,), L2 norm 1. Raises ValueError for an empty sequence."""
    if not embeddings:
        raise ValueError("the mean of no embeddings does not exist")
    return normalised(np.stack(list(embeddings)).mean(axis=0))
