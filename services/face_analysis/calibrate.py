"""Fits the identity metric to renders of known persons: python -m services.face_analysis.calibrate FILE...

A manifest is a JSON Lines file with "identity" and "embedding" (dlib's, of any norm) per picture, as the
starter pack's renderer writes it. Figures are measured on persons that the fit has not seen.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from services.face_analysis.adapters.calibration_file import DLIB_RENDERS, save_metric
from services.face_analysis.domain.faces import Floats, normalised
from services.face_analysis.domain.identity import group_by_person
from services.face_analysis.domain.metric import IdentityMetric, fit_metric
from shared.reports import Bar, write_report

# Chosen on the two halves below: few false refusals, for the reason given in IdentityMetric.
_THRESHOLD = 0.30


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


def read_manifests(paths: Sequence[Path]) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Unit embeddings (n, D) and the person of each."""
    records = [json.loads(line) for path in paths for line in path.read_text("utf-8").splitlines()]
    embeddings = normalised(np.array([record["embedding"] for record in records]))
    return embeddings, np.array([record["identity"] for record in records], np.int64)


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


def main() -> None:
    """Measure on held-out persons, fit on all others, write the file and the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifests", nargs="+", type=Path)
    parser.add_argument("--held-out-from", type=int, default=100_000, help="first identity never fitted to")
    parser.add_argument("--out", type=Path, default=DLIB_RENDERS)
    options = parser.parse_args()
    embeddings, persons = read_manifests(options.manifests)
    is_held_out = persons >= options.held_out_from
    known, known_persons = embeddings[~is_held_out], persons[~is_held_out]
    details: dict[str, object] = {"pictures": len(embeddings), "persons": len(np.unique(persons))}
    for half in (0, 1):
        fitted, other = known_persons % 2 == half, known_persons % 2 != half
        metric = fit_metric(known[fitted], known_persons[fitted], same_set_similarity=_THRESHOLD)
        details[f"half {half}"] = vars(measure(metric, known[other], known_persons[other]))
    metric = fit_metric(known, known_persons, same_set_similarity=_THRESHOLD)
    unseen, unseen_persons = embeddings[is_held_out], persons[is_held_out]
    figures = measure(metric, unseen, unseen_persons)
    details["held out"] = vars(figures)
    details["held out, plain cosine at .925"] = vars(measure(IdentityMetric(0.925), unseen, unseen_persons))
    details["all, plain cosine at .925"] = vars(measure(IdentityMetric(0.925), embeddings, persons))
    save_metric(metric, options.out, pictures=str(len(known)), embedder="dlib-resnet-v1", data="renders")
    bars = [
        Bar("clean sets with a refusal", figures.clean_sets_with_a_refusal, 0.05, "<="),
        Bar("strangers refused", figures.strangers_refused, 0.9, ">="),
    ]
    write_report("FACE_CALIBRATION", "python -m services.face_analysis.calibrate MANIFEST...", bars, details)


if __name__ == "__main__":
    main()
