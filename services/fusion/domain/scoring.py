"""How good a candidate is, as one number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import astuple, dataclass

import numpy as np

from services.fusion.domain.face import FloatArray


@dataclass(frozen=True, slots=True)
class RankWeights:
    """Shares of the score; any non-negative numbers, used after division by their sum."""

    best: float = 0.6
    mean: float = 0.25
    quality: float = 0.15
    attributes: float = 0.1
    artefacts: float = 0.15

    def __post_init__(self) -> None:
        values = astuple(self)
        if min(values) < 0 or not 0 < sum(values) < math.inf:
            raise ValueError("weights must be non-negative and not all zero")


@dataclass(frozen=True, slots=True)
class Similarity:
    """Cosines of one candidate to the references; *best_index* is the reference of the best one."""

    best: float
    best_index: int
    mean: float


@dataclass(frozen=True, slots=True)
class Merits:
    """What the score is made of.

    Attributes:
        similarity: to the references.
        quality: of the face, in [0, 1].
        artefacts: the worst check, in [0, 1]; 1 is flawless.
        attributes: share of the wanted ones that it shows, in [0, 1]; None where none could be measured.
    """

    similarity: Similarity
    quality: float
    artefacts: float = 1.0
    attributes: float | None = None


def similarity_to(embedding: FloatArray, references: FloatArray) -> Similarity:
    """Best and mean cosine of a unit vector (D,) to the unit rows of *references* (N, D)."""
    cosines = np.clip(references.astype(np.float64) @ embedding.astype(np.float64), -1.0, 1.0)
    best = int(np.argmax(cosines))
    return Similarity(float(cosines[best]), best, float(cosines.mean()))


def share_of(cosine: float, identity_gate: float) -> float:
    """A cosine as a number in [0, 1] that rises strictly, with 1/2 at the gate and 1 at identity.

    Embedders use narrow and different ranges (dlib on renders .85 to 1): bending by the gate makes their
    scores comparable and keeps the other terms from drowning the likeness.
    """
    gate = min(max(identity_gate, -0.9), 0.999)
    exponent = math.log(0.5) / math.log((1 + gate) / 2)
    return float(((1 + cosine) / 2) ** exponent)


def attribute_match(wanted: Mapping[str, str], shown: Mapping[str, str]) -> float | None:
    """Share in [0, 1] of the wanted attributes that are shown, of those that were measured at all.

    Words are compared without regard to case. None where nothing wanted was measured.
    """
    measured = [name for name in wanted if name in shown]
    if not measured:
        return None
    return sum(wanted[name].casefold() == shown[name].casefold() for name in measured) / len(measured)


def score_of(merits: Merits, weights: RankWeights, identity_gate: float) -> float:
    """Weighted mean of all merits, in [0, 1]; it rises with each of them.

    Cosines are bent by `share_of`. Attributes that could not be measured do not count, for or against.
    """
    similarity = merits.similarity
    terms = [
        (weights.best, share_of(similarity.best, identity_gate)),
        (weights.mean, share_of(similarity.mean, identity_gate)),
        (weights.quality, merits.quality),
        (weights.artefacts, merits.artefacts),
    ]
    if merits.attributes is not None:
        terms.append((weights.attributes, merits.attributes))
    total = sum(weight for weight, _ in terms)
    if total <= 0:
        # Only attributes count, and none could be measured.
        return 0.0
    return sum(weight * min(max(value, 0.0), 1.0) for weight, value in terms) / total
