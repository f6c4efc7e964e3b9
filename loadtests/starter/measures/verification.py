"""Same-identity verification: is a portrait of its person, or of a stranger of the same sex and age band?

The figure is the one of Labeled Faces in the Wild (Huang et al. 2007, section 3): the share of pairs that a
threshold on the similarity tells right, as many same as different ones, the threshold chosen on other people
(ten folds). It was taken, and not the share of strangers that a portrait is further from than from its own
person, because a product decides on one pair at a time; that share (the AUC) is reported beside it, and is
the higher of the two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from loadtests.common.judge import Floats

FOLDS = 10
NO_FACE = -1.0
"""Similarity of a portrait without a face: the lowest cosine there is, so that it never passes."""


@dataclass(frozen=True)
class Scores:
    """Similarities of one person's portraits: to the person, and to strangers of the same band."""

    own: tuple[float, ...]
    strangers: tuple[float, ...]

    @property
    def is_complete(self) -> bool:
        """Whether there are pairs of both kinds."""
        return bool(self.own and self.strangers)


def scores_of(embeddings: Sequence[Floats | None], template: Floats, strangers: Sequence[Floats]) -> Scores:
    """Returns the cosines of portraits.

    One without a face is not its person, and no stranger either: half right, as a guess would be.
    """
    own = [NO_FACE if one is None else float(one @ template) for one in embeddings]
    others = [
        NO_FACE if one is None else float(one @ stranger) for one in embeddings for stranger in strangers
    ]
    return Scores(tuple(own), tuple(others))


def accuracies(scores: Mapping[int, Scores], folds: int = FOLDS) -> dict[int, list[float]]:
    """Returns each person's balanced share of right answers, in a list of one.

    People without strangers of their band are left out. Raises: ValueError with fewer than two people, as
    the threshold comes from the others.
    """
    known = {number: one for number, one in sorted(scores.items()) if one.is_complete}
    if len(known) < 2:
        raise ValueError("verification needs two people with strangers of their sex and age band")
    numbers = list(known)
    count = min(folds, len(numbers))
    found: dict[int, list[float]] = {}
    for fold in range(count):
        tested = numbers[fold::count]
        threshold = best_threshold([known[number] for number in numbers if number not in tested])
        found |= {number: [balanced(known[number], threshold)] for number in tested}
    return found


def balanced(scores: Scores, threshold: float) -> float:
    """Returns the mean of the shares of own pairs at or above, and strangers' pairs below the threshold."""
    accepted = np.mean(np.asarray(scores.own) >= threshold)
    refused = np.mean(np.asarray(scores.strangers) < threshold)
    return float((accepted + refused) / 2)


def best_threshold(known: Sequence[Scores]) -> float:
    """Returns the threshold with the best mean `balanced` over people: the middle of the best ones.

    Candidates lie half way between neighbouring similarities. Raises: ValueError without people.
    """
    if not known:
        raise ValueError("no people, no threshold")
    parts = [
        (np.asarray(pairs), is_own)
        for one in known
        for pairs, is_own in ((one.own, True), (one.strangers, False))
    ]
    values = np.concatenate([pairs for pairs, _ in parts])
    is_own = np.concatenate([np.full(len(pairs), kind) for pairs, kind in parts])
    # Each person counts alike, and so do the two kinds of pairs.
    weights = np.concatenate([np.full(len(pairs), 1 / len(pairs)) for pairs, _ in parts])
    order = np.argsort(values)
    values, is_own, weights = values[order], is_own[order], weights[order]
    # Below a threshold after the first k values: strangers among them are right, own pairs are lost.
    right = np.concatenate([[0.0], np.cumsum(np.where(is_own, -weights, weights))])
    edges = np.concatenate([[values[0]], (values[1:] + values[:-1]) / 2, [values[-1] + 1e-6]])
    # A cut between equal values is none.
    is_cut = np.concatenate([[True], values[1:] > values[:-1], [True]])
    best = np.flatnonzero(is_cut & np.isclose(right, right[is_cut].max()))
    return float(edges[best[len(best) // 2]])


def pair_shares(scores: Mapping[int, Scores]) -> dict[int, list[float]]:
    """Returns by person the share of (portrait, stranger) pairs in which the own person is the more similar.

    Ties count half. Own similarities are compared with all strangers' ones of the person's portraits.
    """
    found = {}
    for number, one in scores.items():
        if one.is_complete:
            own, others = np.asarray(one.own)[:, None], np.asarray(one.strangers)
            found[number] = [float(np.mean((own > others) + 0.5 * (own == others)))]
    return found
