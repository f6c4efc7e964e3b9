"""Measures the mark finder on portraits that it has never seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from starter.data.cropping import scale_of
from starter.data.manifest import Sample
from starter.data.marks import exact_batch, face_matrix
from starter.data.spots import Spots
from starter.models.marks import KINDS, FoundMark, MarkNet, read_marks

MATCH_SHARE = 0.03
"""A found mark is right within this share of the eye distance."""
_BATCH, _LEAST = 16, 0.05


@dataclass(frozen=True)
class Answer:
    """What is in one crop, what was found, and how far a match may be off in pixels of the crop."""

    truth: Spots
    found: list[FoundMark]
    reach_px: float


@dataclass(frozen=True)
class Counts:
    """Of one crop: pairs (true, found) that match, how many marks the picture shows, and how many were found.

    A match with a mark that the renderer knows of but the picture does not show is left out of all three.
    """

    pairs: list[tuple[int, int]]
    true: int
    found: int


def answers(net: MarkNet, samples: Sequence[Sample]) -> Iterator[Answer]:
    """All marks with a confidence of at least .05, of undisturbed crops."""
    net.eval()
    for start in range(0, len(samples), _BATCH):
        chosen = samples[start : start + _BATCH]
        batch = exact_batch(chosen)
        with torch.no_grad():
            heat, offset, radius = (output.numpy() for output in net(batch.images))
        for k, sample in enumerate(chosen):
            eyes = np.subtract(sample.landmarks_px["left_eye"], sample.landmarks_px["right_eye"])
            reach = MATCH_SHARE * float(np.hypot(*eyes)) * scale_of(face_matrix(sample))
            yield Answer(batch.spots[k], read_marks(heat[k], offset[k], radius[k], _LEAST), reach)


def match(answer: Answer, threshold: float) -> Counts:
    """The best one-to-one matching of true marks and those found with enough confidence."""
    found = [mark for mark in answer.found if mark.confidence >= threshold]
    truth, shown = answer.truth, int(answer.truth.shown.sum())
    if not found or not len(truth.kinds):
        return Counts([], shown, len(found))
    places = np.array([(mark.x, mark.y) for mark in found])
    distance: NDArray[np.float64] = np.hypot(*(truth.places[:, None] - places[None]).transpose(2, 0, 1))
    # A pair out of reach costs more than any number of pairs within it, a faint mark more than a shown one.
    faint = 1e3 * ~truth.shown[:, None]
    cost = np.where(distance <= answer.reach_px, distance + faint, 1e6)
    rows, columns = linear_sum_assignment(cost)
    pairs = [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if cost[r, c] < 1e6]
    counted = [pair for pair in pairs if truth.shown[pair[0]]]
    return Counts(counted, shown, len(found) - (len(pairs) - len(counted)))


def best_threshold(net: MarkNet, samples: Sequence[Sample]) -> float:
    """The confidence with the best harmonic mean of recall and precision on `samples` (of the training)."""
    known = list(answers(net, samples))
    scores: dict[float, float] = {}
    for threshold in (k / 20 for k in range(3, 15)):
        counts = [match(answer, threshold) for answer in known]
        right = sum(len(c.pairs) for c in counts)
        scores[threshold] = 2 * right / max(1, sum(c.true + c.found for c in counts))
    return max(scores, key=lambda threshold: scores[threshold])


def measure(net: MarkNet, samples: Sequence[Sample], threshold: float) -> dict[str, Any]:
    """Recall, precision, recall of each kind, and errors of place (of the eye distance), radius and kind."""
    known = list(answers(net, samples))
    counts = [match(answer, threshold) for answer in known]
    right = sum(len(c.pairs) for c in counts)
    hits, totals = np.zeros(len(KINDS)), np.zeros(len(KINDS))
    same_kind, off, radius_ratio = [], [], []
    for answer, count in zip(known, counts, strict=True):
        np.add.at(totals, answer.truth.kinds[answer.truth.shown], 1)
        for row, column in count.pairs:
            kind, mark = int(answer.truth.kinds[row]), answer.found[column]
            hits[kind] += 1
            same_kind.append(mark.kind == KINDS[kind])
            off.append(
                np.hypot(*(answer.truth.places[row] - (mark.x, mark.y))) / answer.reach_px * MATCH_SHARE
            )
            radius_ratio.append(abs(np.log(mark.radius / answer.truth.radii[row])))
    return {
        "images": len(samples),
        "marks": int(totals.sum()),
        "marks_too_faint_to_count": sum(int((~answer.truth.shown).sum()) for answer in known),
        "recall": round(right / max(1, int(totals.sum())), 3),
        "precision": round(right / max(1, sum(c.found for c in counts)), 3),
        "recall_by_kind": {
            k: round(float(h / max(1, t)), 3) for k, h, t in zip(KINDS, hits, totals, strict=True)
        },
        "kind_accuracy": round(float(np.mean(same_kind)), 3) if same_kind else None,
        "place_error_percent": round(float(np.mean(off)) * 100, 2) if off else None,
        "radius_error_percent": round(float(np.expm1(np.mean(radius_ratio))) * 100, 1)
        if radius_ratio
        else None,
    }
