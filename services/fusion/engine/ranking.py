"""Use case: judge candidates against all references."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.fusion.domain.face import Face, FloatArray, Image
from services.fusion.domain.ports import PictureInspector
from services.fusion.domain.ranking import Candidate, RankOptions, Verdict, rank
from shared.errors.common import FieldInvalid


@dataclass(frozen=True, slots=True, eq=False)
class RankInput:
    """A candidate by its faces and, where artefacts and twins are to be found too, its picture."""

    name: str
    faces: tuple[Face, ...]
    image: Image | None = None


def gate_for(embedder: str, calibrated: Mapping[str, float], requested: float | None) -> float:
    """The identity gate: the requested one, else the one calibrated for *embedder*.

    Raises:
        FieldInvalid: neither exists; a guessed gate would let strangers through.
    """
    if requested is not None:
        return requested
    if embedder not in calibrated:
        problem = (
            f"no gate is calibrated for embedder {embedder or '(unnamed)'}, so the request must give one"
        )
        raise FieldInvalid(field="identity_gate", problem=problem)
    return calibrated[embedder]


def rank_candidates(
    inspector: PictureInspector,
    candidates: Sequence[RankInput],
    references: Sequence[FloatArray],
    options: RankOptions,
) -> list[Verdict]:
    """Rank and gate; see `services.fusion.domain.ranking.rank`.

    Raises:
        FieldInvalid: two candidates of one name, or embeddings of different sizes.
    """
    twice = [name for name, count in Counter(c.name for c in candidates).items() if count > 1]
    if twice:
        raise FieldInvalid(field="candidate_id", problem=f"{sorted(twice)[0]} is given twice")
    sizes = {r.size for r in references}
    sizes |= {c.faces[0].embedding.size for c in candidates if len(c.faces) == 1}
    if len(sizes) != 1:
        problem = f"embeddings of different dimensions {sorted(sizes)} cannot be compared"
        raise FieldInvalid(field="references", problem=problem)
    judged = [_inspected(inspector, c) for c in candidates]
    return rank(judged, np.stack(references), options)


def _inspected(inspector: PictureInspector, candidate: RankInput) -> Candidate:
    if candidate.image is None:
        return Candidate(candidate.name, candidate.faces)
    return Candidate(
        candidate.name,
        candidate.faces,
        inspector.appearance(candidate.image),
        inspector.defect(candidate.image, candidate.name),
    )
