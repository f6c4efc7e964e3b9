"""False accepts and false rejects at the shipped gate, on people that it was never calibrated on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from likeness.common.v1 import face_pb2, image_pb2
from likeness.face_analysis.v1 import face_analysis_pb2 as analysis_pb
from likeness.fusion.v1 import fusion_pb2 as pb

from loadtests.common.intervals import ratio_of_people, wilson
from loadtests.common.services import CALL_TIMEOUT_S, Services
from loadtests.fusion.scale import Scale

_MOST_PER_CALL = 256
GROUPS = ("probes", "portraits")
_PORTRAITS_EACH = 4


@dataclass(frozen=True)
class Answer:
    """Whether the gate let a picture of `owner` through as the person `claimed`."""

    claimed: int
    owner: int
    group: str
    is_accepted: bool


@dataclass(frozen=True)
class Applied:
    """The gate that Rank applied to a number of references, and what it was calibrated to."""

    threshold: float
    false_accept_rate: float | None
    false_reject_rate: float | None


def measure(services: Services, scale: Scale, numbers: Sequence[int]) -> dict[str, Any]:
    """Asks Rank about everybody's photos and portraits as everybody, by number of references.

    Photos are further photos of the same people; portraits the first few finished ones of each.
    """
    faces = {group: {n: _faces(scale, n, group) for n in numbers} for group in (*GROUPS, "references")}
    faces["portraits"] = {n: known[:_PORTRAITS_EACH] for n, known in faces["portraits"].items()}
    by_count = {}
    for count in range(1, scale.reference_count + 1):
        applied, answers = Applied(0.0, None, None), []
        for claimed in numbers:
            references = faces["references"][claimed]
            if len(references) < count:
                continue
            applied, found = _ask(services, claimed, references[:count], faces)
            answers += found
        if answers:
            by_count[str(count)] = {**vars_of(applied), **rates(answers)}
    return by_count


def rates(answers: Sequence[Answer]) -> dict[str, Any]:
    """Returns false accepts of strangers and false rejects of the own, by group, with intervals over people.

    The interval of a share that is 0 is Wilson's, of as many trials as there are claimed people times owners:
    pictures of one pair of people are alike.
    """
    found: dict[str, Any] = {}
    for group in GROUPS:
        for name, is_own in (("false_accepts", False), ("false_rejects", True)):
            wrong = _wrong([one for one in answers if one.group == group], is_own=is_own)
            if any(wrong.values()):
                found[f"{name}_{group}"] = _share(wrong, answers, is_own)
    return found


def _wrong(answers: Sequence[Answer], *, is_own: bool) -> dict[int, list[tuple[float, float]]]:
    parts: dict[int, list[tuple[float, float]]] = {}
    for one in answers:
        if (one.claimed == one.owner) == is_own:
            parts.setdefault(one.claimed, []).append((float(one.is_accepted != is_own), 1.0))
    return parts


def _share(
    wrong: Mapping[int, Sequence[tuple[float, float]]], answers: Sequence[Answer], is_own: bool
) -> dict[str, Any]:
    estimate = ratio_of_people(wrong).as_json()
    estimate["wrong"] = int(sum(value for pairs in wrong.values() for value, _ in pairs))
    if estimate["wrong"] == 0:
        pairs = {(one.claimed, one.owner) for one in answers if (one.claimed == one.owner) == is_own}
        estimate["low"], estimate["high"] = wilson(0, len(pairs))
    return estimate


def vars_of(applied: Applied) -> dict[str, float | None]:
    """Returns the gate for JSON."""
    return {
        "threshold": applied.threshold,
        "calibrated_false_accepts": applied.false_accept_rate,
        "calibrated_false_rejects": applied.false_reject_rate,
    }


def _ask(
    services: Services,
    claimed: int,
    references: Sequence[face_pb2.Face],
    faces: Mapping[str, Mapping[int, Sequence[face_pb2.Face]]],
) -> tuple[Applied, list[Answer]]:
    asked = [
        (group, owner, position, face)
        for group in GROUPS
        for owner, known in faces[group].items()
        for position, face in enumerate(known)
    ]
    answers, applied = [], Applied(0.0, None, None)
    for part in _parts(asked):
        request = pb.RankRequest(
            candidates=[
                pb.RankedInput(candidate_id=f"{group}/{owner}/{position}", faces=[face])
                for group, owner, position, face in part
            ],
            references=[_compared(face) for face in references],
        )
        response = services.fusion.Rank(request, timeout=CALL_TIMEOUT_S)
        applied = Applied(
            response.identity_gate,
            response.false_accept_rate if response.HasField("false_accept_rate") else None,
            response.false_reject_rate if response.HasField("false_reject_rate") else None,
        )
        for verdict in response.candidates:
            group, owner_text, _ = verdict.candidate_id.split("/")
            is_accepted = verdict.best_similarity >= response.identity_gate
            answers.append(Answer(claimed, int(owner_text), group, is_accepted))
    return applied, answers


def _parts(asked: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(asked), _MOST_PER_CALL):
        yield asked[start : start + _MOST_PER_CALL]


def _faces(scale: Scale, number: int, group: str) -> list[face_pb2.Face]:
    data = (scale.person_folder(number) / f"{group}.binpb").read_bytes()
    return [face for image in analysis_pb.AnalyzeResponse.FromString(data).images for face in image.faces]


def _compared(face: face_pb2.Face) -> image_pb2.Embedding:
    return face.comparison_embedding if face.HasField("comparison_embedding") else face.embedding
