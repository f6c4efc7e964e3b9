"""How well a metric tells the persons of a collection apart."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.face_analysis.domain.faces import Floats
from services.face_analysis.domain.identity import group_by_person
from services.face_analysis.domain.metric import IdentityMetric


@dataclass(frozen=True)
class Figures:
    """How well one metric tells the persons of a collection apart."""

    auc: float
    """Chance that a pair of one person is more similar than a pair of two."""
    equal_error_rate: float
    equal_error_similarity: float
    clean_sets_with_a_refusal: float
    """Share of sets of three pictures of one person in which any is refused."""
    strangers_refused: float
    """Share of sets of three plus one stranger in which the stranger is not left with the three."""


def measure(metric: IdentityMetric, embeddings: Floats, persons: npt.NDArray[np.int64]) -> Figures:
    """Figures of a metric; strangers are drawn with a fixed seed."""
    rows = metric.project(list(embeddings))
    upper = np.triu_indices(len(rows), 1)
    similarity, same = (rows @ rows.T)[upper], (persons[:, None] == persons[None])[upper]
    ranks = np.empty(len(similarity))
    ranks[np.argsort(similarity)] = np.arange(1, len(similarity) + 1)
    of_same, of_two = int(same.sum()), int((~same).sum())
    auc = (ranks[same].sum() - of_same * (of_same + 1) / 2) / (of_same * of_two)
    rate, at = _equal_error(similarity[same], similarity[~same])
    clean, strangers = _measure_sets(metric.same_set_similarity, rows, persons)
    return Figures(float(auc), rate, at, clean, strangers)


def _equal_error(same: Floats, two: Floats) -> tuple[float, float]:
    levels = np.quantile(np.concatenate([same, two]), np.linspace(0.01, 0.999, 500))
    missed = np.array([(same < level).mean() for level in levels])
    taken = np.array([(two >= level).mean() for level in levels])
    best = int(np.abs(missed - taken).argmin())
    return float((missed[best] + taken[best]) / 2), float(levels[best])


def _measure_sets(threshold: float, rows: Floats, persons: npt.NDArray[np.int64]) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    refused, caught = [], []
    for person in np.unique(persons):
        own = rng.permutation(np.flatnonzero(persons == person))[:3]
        if len(own) < 3:
            continue
        refused.append(len(group_by_person(list(rows[own]), threshold).groups) > 1)
        for stranger in rng.choice(np.flatnonzero(persons != person), 3):
            groups = group_by_person(list(rows[[*own, stranger]]), threshold)
            caught.append(3 not in groups.reference)
    return float(np.mean(refused)), float(np.mean(caught))
