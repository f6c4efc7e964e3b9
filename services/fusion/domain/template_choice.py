"""Which reference the face is taken from: quality x frontality x pose x expression x what covers the face."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from services.fusion.domain.face import Face
from services.fusion.domain.face_model import FittedFace, expression_distance, fit_face
from services.fusion.domain.occluders import seen_eyes, wears_glasses, wears_hat

# A template turned 15 degrees away from the candidate is worth exp(-1/2) of one that looks the same way.
_POSE_SIGMA_DEG = 15.0
# A face turned by 40 degrees shows a good part of one side only, whatever the candidate does.
_FRONT_SIGMA_DEG = 40.0
# Pairs of renders with one expression differ by 0.02 of the eye distance, with two by 0.05 (medians).
_EXPRESSION_SIGMA = 0.06
# What hides the template's eyes cannot be undone: only a far better photo makes up for that.
_COVERED_EYES = 0.3
# The shadow of a brim lies over the brows as if it were theirs.
_SHADED = 0.6


@dataclass(frozen=True, slots=True)
class Choice:
    """The template that was taken and why.

    Attributes:
        index: its position among those given.
        score: the product of all factors, in [0, 1].
        pose_similarity: in (0, 1]; 1 when template and candidate look the same way.
        expression_similarity: in (0, 1]; 1 for equal expressions, and where a face has no dense landmarks.
    """

    index: int
    score: float
    pose_similarity: float
    expression_similarity: float


def pose_similarity(first: Face, second: Face) -> float:
    """Exp of the negative squared pose difference, in (0, 1]; symmetric; 1 for equal poses."""
    turn, nod = first.yaw_deg - second.yaw_deg, first.pitch_deg - second.pitch_deg
    return math.exp(-(turn * turn + nod * nod) / (2 * _POSE_SIGMA_DEG**2))


def expression_similarity(first: FittedFace | None, second: FittedFace | None) -> float:
    """Likeness of eyelids, brows and mouth in (0, 1], whatever pose and person; 1 where a face is not fitted.

    Both are freed of pose and identity by the face model; what is compared is how far the expression moves
    the landmarks, in eye distances.
    """
    if first is None or second is None:
        return 1.0
    return math.exp(-(expression_distance(first, second) ** 2) / (2 * _EXPRESSION_SIGMA**2))


def fitted(face: Face) -> FittedFace | None:
    """The face model's view of a face; None without dense landmarks."""
    return fit_face(face.dense) if face.dense is not None else None


def frontality(face: Face) -> float:
    """In (0, 1]; 1 for a face that looks ahead."""
    return math.exp(-(face.yaw_deg**2 + face.pitch_deg**2) / (2 * _FRONT_SIGMA_DEG**2))


def fitness(face: Face) -> float:
    """Technical quality in [0.5, 1]: a blurred photo in the right pose beats a crisp one turned away."""
    quality = face.quality if face.judged_quality is None else face.judged_quality
    return (1 + min(max(quality, 0.0), 1.0)) / 2


def openness(candidate: Face, template: Face) -> float:
    """In [0.18, 1]: 1 where the template wears nothing over eyes and brows that the candidate lacks."""
    shaded = _SHADED if wears_hat(template) and not wears_hat(candidate) else 1.0
    if wears_glasses(template):
        return shaded * (1.0 if wears_glasses(candidate) else _COVERED_EYES)
    lacking = max(0.0, seen_eyes(candidate) - seen_eyes(template))
    return shaded * (1.0 - (1 - _COVERED_EYES) * lacking)


def choose_template(candidate: Face, templates: Sequence[Face]) -> Choice:
    """The template of the highest score; does not depend on their order, but for wholly equal faces.

    Raises:
        ValueError: there is none.
    """
    own = fitted(candidate)
    choices = [_judged(candidate, own, face, index) for index, face in enumerate(templates)]

    def key(choice: Choice) -> tuple[float, ...]:
        # Equal scores are told apart by the faces themselves, so that the order has no say.
        face = templates[choice.index]
        return (choice.score, face.quality, *face.landmarks5.ravel().tolist(), -choice.index)

    return max(choices, key=key)


def _judged(candidate: Face, own: FittedFace | None, template: Face, index: int) -> Choice:
    pose, expression = pose_similarity(candidate, template), expression_similarity(own, fitted(template))
    score = fitness(template) * frontality(template) * pose * expression * openness(candidate, template)
    return Choice(index, score, pose, expression)
