"""Use case: judge candidates against all references."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.fusion.domain.face import Face, FloatArray, Image
from services.fusion.domain.ports import PictureInspector
from services.fusion.domain.ranking import Candidate, RankOptions, Verdict, rank
from shared.cancellation import CancellationToken
from shared.errors.common import FieldInvalid


@dataclass(frozen=True, slots=True, eq=False)
class RankInput:
    """A candidate by its faces and, where artefacts and twins are to be found too, its picture."""

    name: str
    faces: tuple[Face, ...]
    image: Image | None = None


def rank_candidates(
    inspector: PictureInspector,
    candidates: Sequence[RankInput],
    references: Sequence[FloatArray],
    options: RankOptions,
    token: CancellationToken,
) -> list[Verdict]:
    """Rank and gate; see `services.fusion.domain.ranking.rank`.

    Raises:
        FieldInvalid: two candidates of one name, or embeddings of different sizes.
        Cancelled: *token* was cancelled; it is looked at before each candidate.
    """
    twice = [name for name, count in Counter(c.name for c in candidates).items() if count > 1]
    if twice:
        raise FieldInvalid(field="candidate_id", problem=f"{sorted(twice)[0]} is given twice")
    sizes = {r.size for r in references}
    sizes |= {c.faces[0].embedding.size for c in candidates if len(c.faces) == 1}
    if len(sizes) != 1:
        problem = f"embeddings of different dimensions {sorted(sizes)} cannot be compared"
        raise FieldInvalid(field="references", problem=problem)
    judged = []
    for candidate in candidates:
        token.raise_if_cancelled()
        judged.append(_inspected(inspector, candidate))
    return rank(judged, np.stack(references), options)


def _inspected(inspector: PictureInspector, candidate: RankInput) -> Candidate:
    if candidate.image is None:
        return Candidate(candidate.name, candidate.faces)
    image = candidate.image
    checks = inspector.checks(image, candidate.faces[0]) if len(candidate.faces) == 1 else ()
    return Candidate(
        candidate.name,
        candidate.faces,
        inspector.appearance(image),
        inspector.defect(image, candidate.name),
        tuple(checks),
    )
