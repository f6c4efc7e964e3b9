"""Which candidates leave, and in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from services.fusion.domain.checks import Check, count_check, worst_first
from services.fusion.domain.face import Face, FloatArray, only_face
from services.fusion.domain.face_checks import face_checks
from services.fusion.domain.scoring import (
    Merits,
    RankWeights,
    Similarity,
    attribute_match,
    score_of,
    similarity_to,
)
from services.fusion.errors import (
    BelowIdentityGate,
    FaceTooSmall,
    NearDuplicate,
    NoFaceFound,
    PictureDefect,
    SeveralFaces,
)
from shared.errors import LikenessError


@dataclass(frozen=True, slots=True)
class RankOptions:
    """Settings of one ranking.

    Attributes:
        identity_gate: least best cosine to any reference, in [-1, 1].
        min_face_px: least longer side of the face's box.
        duplicate_similarity: a candidate whose `Candidate.appearance` has at least this cosine to that of a
            better one is thinned out; above 1 keeps all.
        weights: shares of the score.
        wanted: attributes that the prompt asks for, value by name.
        is_face_optional: for drawings: a candidate without a face may pass, and checks refuse nothing.
    """

    identity_gate: float
    min_face_px: float = 48.0
    duplicate_similarity: float = 0.98
    weights: RankWeights = field(default_factory=RankWeights)
    wanted: Mapping[str, str] = field(default_factory=dict)
    is_face_optional: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One picture to judge.

    Attributes:
        name: unique within a ranking; breaks ties.
        faces: every face that was found in it.
        appearance: unit vector that describes the picture's looks, or empty: then nothing counts as its twin.
        defect: why the picture itself is unfit, whoever it shows, or None.
        checks: of its pixels; those of its face are made here.
    """

    name: str
    faces: tuple[Face, ...]
    appearance: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    defect: LikenessError | None = None
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement on one candidate.

    Attributes:
        name: the candidate's.
        rank: from 1; 0 for a refused one.
        score: in [0, 1]; 0 without a single face.
        merits: None without a single face.
        refusal: None for a candidate that passed.
        checks: for artefacts, the worst first.
    """

    name: str
    rank: int
    score: float
    merits: Merits | None
    refusal: LikenessError | None
    checks: tuple[Check, ...] = ()

    @property
    def similarity(self) -> Similarity | None:
        """To the references; None without a single face."""
        return self.merits.similarity if self.merits else None


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


def _order(verdict: Verdict) -> tuple[bool, float, str]:
    return verdict.merits is None, -verdict.score, verdict.name


def _judge(candidate: Candidate, references: FloatArray, options: RankOptions) -> Verdict:
    """The verdict on one candidate alone; its rank is given later."""
    name, count = candidate.name, count_check(len(candidate.faces))
    try:
        face = only_face(candidate.faces, name, min_face_px=options.min_face_px)
    except NoFaceFound as refusal:
        unfit = candidate.defect if options.is_face_optional else refusal
        return Verdict(name, 0, 0.0, None, unfit, (count,))
    except SeveralFaces as refusal:
        return Verdict(name, 0, 0.0, None, refusal, (count,))
    checks = worst_first((count, *candidate.checks, *face_checks(face, min_face_px=options.min_face_px)))
    merits = Merits(
        similarity_to(face.embedding, references),
        face.quality if face.judged_quality is None else face.judged_quality,
        checks[0].score,
        attribute_match(options.wanted, face.attributes),
    )
    score = score_of(merits, options.weights, options.identity_gate)
    unfit = _refusal(candidate, face, merits.similarity, options)
    if unfit is None and not options.is_face_optional:
        unfit = _severe(name, checks)
    return Verdict(name, 0, score, merits, unfit, checks)


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


def _severe(name: str, checks: Sequence[Check]) -> LikenessError | None:
    """The worst check as a refusal, if it is severe."""
    severe = next((check for check in checks if check.is_severe), None)
    return PictureDefect(image=name, defect=f"{severe.problem} (check {severe.name})") if severe else None


def _twin(
    verdict: Verdict, kept: Sequence[Verdict], appearances: Mapping[str, FloatArray], options: RankOptions
) -> str | None:
    """Name of a better candidate that looks the same, if any."""
    own = appearances[verdict.name]
    for better in kept:
        other = appearances[better.name]
        if own.size and own.size == other.size and float(own @ other) >= options.duplicate_similarity:
            return better.name
    return None
