"""Which candidates leave, and in which order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from services.fusion.domain.face import Face, FloatArray, only_face
from services.fusion.errors import BelowIdentityGate, FaceTooSmall, NearDuplicate, NoFaceFound, SeveralFaces
from shared.errors import LikenessError


@dataclass(frozen=True, slots=True)
class RankWeights:
    """Shares of the score; any non-negative numbers, used after division by their sum."""

    best: float = 0.6
    mean: float = 0.25
    quality: float = 0.15

    def normalised(self) -> RankWeights:
        """The same proportions with a sum of 1."""
        total = self.best + self.mean + self.quality
        if total <= 0 or min(self.best, self.mean, self.quality) < 0:
            raise ValueError("weights must be non-negative and not all zero")
        return RankWeights(self.best / total, self.mean / total, self.quality / total)


@dataclass(frozen=True, slots=True)
class RankOptions:
    """Settings of one ranking.

    Attributes:
        identity_gate: least best cosine to any reference, in [-1, 1].
        min_face_px: least longer side of the face's box.
        duplicate_similarity: a candidate whose `Candidate.appearance` has at least this cosine to that of a
            better one is thinned out; above 1 keeps all.
        weights: shares of the score.
    """

    identity_gate: float
    min_face_px: float = 48.0
    duplicate_similarity: float = 0.98
    weights: RankWeights = field(default_factory=RankWeights)


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One picture to judge.

    Attributes:
        name: unique within a ranking; breaks ties.
        faces: every face that was found in it.
        appearance: unit vector that describes the picture's looks, or empty: then nothing counts as its twin.
        defect: why the picture itself is unfit, whoever it shows, or None.
    """

    name: str
    faces: tuple[Face, ...]
    appearance: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    defect: LikenessError | None = None


@dataclass(frozen=True, slots=True)
class Similarity:
    """Cosines of one candidate to the references; *best_index* is the reference of the best one."""

    best: float
    best_index: int
    mean: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement on one candidate.

    Attributes:
        name: the candidate's.
        rank: from 1; 0 for a refused one.
        score: in [0, 1]; 0 without a single face.
        similarity: None without a single face.
        refusal: None for a candidate that passed.
    """

    name: str
    rank: int
    score: float
    similarity: Similarity | None
    refusal: LikenessError | None


def similarity_to(embedding: FloatArray, references: FloatArray) -> Similarity:
    """Best and mean cosine of a unit vector (D,) to the unit rows of *references* (N, D)."""
    cosines = np.clip(references.astype(np.float64) @ embedding.astype(np.float64), -1.0, 1.0)
    best = int(np.argmax(cosines))
    return Similarity(float(cosines[best]), best, float(cosines.mean()))


def share_of(cosine: float, identity_gate: float) -> float:
    """A cosine as a number in [0, 1] that rises strictly, with 1/2 at the gate and 1 at identity.

    Embedders use narrow and different ranges (dlib on renders .85 to 1): bending by the gate makes their
    scores comparable and keeps the quality term from drowning the likeness.
    """
    gate = min(max(identity_gate, -0.9), 0.999)
    exponent = math.log(0.5) / math.log((1 + gate) / 2)
    return float(((1 + cosine) / 2) ** exponent)


def score_of(similarity: Similarity, quality: float, options: RankOptions) -> float:
    """Weighted mean of the bent best and mean cosines and of the quality; rises with each, in [0, 1]."""
    weights = options.weights.normalised()
    best = share_of(similarity.best, options.identity_gate)
    mean = share_of(similarity.mean, options.identity_gate)
    return weights.best * best + weights.mean * mean + weights.quality * min(max(quality, 0.0), 1.0)


def rank(candidates: Sequence[Candidate], references: FloatArray, options: RankOptions) -> list[Verdict]:
    """Judge every candidate: those that passed by rank, then the refused ones by score.

    The result depends on the set of candidates alone, not on their order; equal scores go by name.
    *references* is (N, D) with unit rows, N at least 1: similarity is the best over ALL of them, as one
    reference's pose or light must not decide.
    """
    judged = sorted((_judge(c, references, options) for c in candidates), key=_order)
    appearances = {c.name: c.appearance for c in candidates}
    kept: list[Verdict] = []
    refused: list[Verdict] = []
    for verdict in judged:
        twin = None if verdict.refusal else _twin(verdict, kept, appearances, options)
        if twin is not None:
            refused.append(replace(verdict, refusal=NearDuplicate(image=verdict.name, other=twin)))
        elif verdict.refusal is not None:
            refused.append(verdict)
        else:
            kept.append(replace(verdict, rank=len(kept) + 1))
    return kept + sorted(refused, key=_order)


def _order(verdict: Verdict) -> tuple[float, str]:
    return -verdict.score, verdict.name


def _judge(candidate: Candidate, references: FloatArray, options: RankOptions) -> Verdict:
    """The verdict on one candidate alone; its rank is given later."""
    name = candidate.name
    try:
        face = only_face(candidate.faces, name, min_face_px=options.min_face_px)
    except (NoFaceFound, SeveralFaces) as refusal:
        return Verdict(name, 0, 0.0, None, refusal)
    similarity = similarity_to(face.embedding, references)
    score = score_of(similarity, face.quality, options)
    return Verdict(name, 0, score, similarity, _refusal(candidate, face, similarity, options))


def _refusal(
    candidate: Candidate, face: Face, similarity: Similarity, options: RankOptions
) -> LikenessError | None:
    """Why a candidate with one face is refused. Written so that a NaN is refused too."""
    name = candidate.name
    if not similarity.best >= options.identity_gate:
        similarity_text, gate_text = f"{similarity.best:.3f}", f"{options.identity_gate:.3f}"
        return BelowIdentityGate(image=name, similarity=similarity_text, gate=gate_text)
    if not face.size_px >= options.min_face_px:
        return FaceTooSmall(image=name, size_px=round(face.size_px), min_px=round(options.min_face_px))
    return candidate.defect


def _twin(
    verdict: Verdict, kept: Sequence[Verdict], appearances: dict[str, FloatArray], options: RankOptions
) -> str | None:
    """Name of a better candidate that looks the same, if any."""
    own = appearances[verdict.name]
    for better in kept:
        other = appearances[better.name]
        if own.size and own.size == other.size and float(own @ other) >= options.duplicate_similarity:
            return better.name
    return None
