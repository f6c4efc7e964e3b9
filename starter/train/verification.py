"""How well embeddings tell people apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from starter.data.manifest import Sample

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def verification(embeddings: NDArray[np.float32], samples: Sequence[Sample]) -> dict[str, Any]:
    """Figures over all pairs of pictures, of which those with changed hair and like people are shown apart.

    embeddings: (N, D), L2-normalised, in the order of `samples`.
    """
    first, second = np.triu_indices(len(samples), 1)
    cosines = np.asarray((embeddings @ embeddings.T)[first, second], np.float64)
    people = np.array([sample.identity for sample in samples])
    same = people[first] == people[second]
    hair = _words(samples, ("hair_style", "hair_color"))
    kind = _words(samples, ("sex", "age"))
    return {
        "pairs": {"same": int(same.sum()), "different": int((~same).sum())},
        "all": figures(cosines, same),
        # The same person with other hair, against all strangers.
        "changed_hair": figures(*_kept(cosines, same, ~same | (hair[first] != hair[second]))),
        # Strangers of the same sex and age alone.
        "strangers_alike": figures(*_kept(cosines, same, same | (kind[first] == kind[second]))),
    }


def figures(cosines: Floats, same: Bools) -> dict[str, float] | None:
    """AUC, equal error rate with its threshold, and true accepts at a false-accept rate of 1e-3.

    None where there are no pairs of one of the kinds.
    """
    own, other = cosines[same], np.sort(cosines[~same])
    if not len(own) or not len(other):
        return None
    below = np.searchsorted(other, own, "left")
    ties = np.searchsorted(other, own, "right") - below
    auc = float((below + 0.5 * ties).mean() / len(other))
    thresholds = np.unique(np.concatenate([own, other]))
    rejected = np.searchsorted(np.sort(own), thresholds, "left") / len(own)
    accepted = 1 - np.searchsorted(other, thresholds, "left") / len(other)
    at = int(np.argmin(np.abs(rejected - accepted)))
    strict = float(np.quantile(other, 1 - 1e-3, method="higher"))
    return {
        "auc": round(auc, 4),
        "eer": round(float(rejected[at] + accepted[at]) / 2, 4),
        "eer_cosine": round(float(thresholds[at]), 3),
        "tar_at_1e-3_far": round(float((own > strict).mean()), 3),
        "cosine_at_1e-3_far": round(strict, 3),
    }


def _words(samples: Sequence[Sample], names: Sequence[str]) -> NDArray[np.str_]:
    return np.array(["/".join(str(sample.attributes[name]) for name in names) for sample in samples])


def _kept(cosines: Floats, same: Bools, keep: Bools) -> tuple[Floats, Bools]:
    return cosines[keep], same[keep]
