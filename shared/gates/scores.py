"""Best similarities of faces to several references, of the same person and of strangers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Counts = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Scores:
    """Every picture compared with *references* pictures of every person, by the best cosine.

    Attributes:
        references: how many references.
        strangers: (N, J) float32: picture n against person j of `others`; -inf where j is the picture's own.
        fewer: (N, J) float32: the same with one reference less; -inf for none.
        others: (J,) persons, by number from 0, that have so many pictures.
        starts: (P,) where each person's pictures begin in the rows; P persons.
        own: (K,) float32: pictures against other pictures of their own person; empty where nobody has enough.
        own_person: (K,) the person of each, by number.
    """

    references: int
    strangers: Floats
    fewer: Floats
    others: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    own: Floats
    own_person: npt.NDArray[np.int64]

    @property
    def comparison_count(self) -> int:
        """How many comparisons of strangers there are."""
        return int(np.isfinite(self.strangers).sum())

    def accepted_by_person(self, threshold: float, beyond: int = 0) -> Counts:
        """(P, J) float32: pictures of person p that are let through as person j.

        With *beyond* further references at most so many are: each adds no more than the last one did.
        """
        accepted = (self.strangers >= threshold).astype(np.float32)
        if beyond:
            accepted += beyond * (accepted - (self.fewer >= threshold))
        return np.add.reduceat(accepted, self.starts, axis=0)

    def compared_by_person(self) -> Counts:
        """(P, J) float32: pictures of person p compared with person j."""
        return np.add.reduceat(np.isfinite(self.strangers).astype(np.float32), self.starts, axis=0)


def scores_of(
    rows: Floats, persons: npt.NDArray[np.integer], most_references: int, *, seed: int = 0
) -> Iterator[Scores]:
    """Scores with 1, 2, ... references, as long as two people have so many pictures.

    Whose pictures serve as references is drawn once: n + 1 references are the n before and one more, so that
    every similarity rises with their number.

    Args:
        rows: (N, D) unit vectors.
        persons: (N,) who each is.
        most_references: where to stop, at least 1.
        seed: of the draw.
    """
    order = np.random.default_rng(seed).permutation(len(rows))
    order = order[np.argsort(persons[order], kind="stable")]
    rows = np.asarray(rows, np.float32)[order]
    _, starts, sizes = np.unique(persons[order], return_index=True, return_counts=True)
    number = np.repeat(np.arange(len(sizes)), sizes)
    place = np.arange(len(rows)) - starts[number]
    best = np.full((len(rows), len(sizes)), -np.inf, np.float32)
    own = np.full(len(rows), -np.inf, np.float32)
    for n in range(1, most_references + 1):
        others = np.flatnonzero(sizes >= n)
        if len(others) < 2:
            return
        fewer, is_own = best[:, others], number[:, None] == others
        fewer[is_own] = -np.inf
        best[:, others] = np.maximum(best[:, others], rows @ rows[starts[others] + n - 1].T)
        strangers = best[:, others]
        strangers[is_own] = -np.inf
        # A picture skips itself among its own person's references and takes one further in their order.
        has_more = sizes[number] > n
        partner = starts[number] + n - 1 + (place <= n - 1)
        cosines = np.einsum("nd,nd->n", rows, rows[np.minimum(partner, len(rows) - 1)])
        own = np.where(has_more, np.maximum(own, cosines), own)
        yield Scores(n, strangers, fewer, others, starts, own[has_more], number[has_more])
