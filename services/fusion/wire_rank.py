"""Rank between likeness.fusion.v1 messages and the domain; pure functions."""

from __future__ import annotations

from collections.abc import Iterable

from likeness.common.v1 import face_pb2, image_pb2
from likeness.fusion.v1 import fusion_pb2 as pb

from services.fusion.domain.ranking import RankOptions, Verdict
from services.fusion.domain.scoring import RankWeights
from services.fusion.engine.gating import AppliedGate
from shared.errors.common import FieldInvalid
from shared.wire import to_refusal


def compared_embedding(face: face_pb2.Face) -> image_pb2.Embedding:
    """The embedding of a face that similarities are taken of."""
    return face.comparison_embedding if face.HasField("comparison_embedding") else face.embedding


def embedder_of(request: pb.RankRequest) -> str:
    """The one embedder that all compared embeddings name; unnamed ones are taken to be of the same.

    Raises:
        FieldInvalid: there are several.
    """
    faces = (face for candidate in request.candidates for face in candidate.faces)
    return _one_name([*request.references, *map(compared_embedding, faces)])


def _one_name(messages: Iterable[image_pb2.Embedding]) -> str:
    names = sorted({message.model for message in messages} - {""})
    if len(names) > 1:
        problem = f"embeddings of {' and '.join(names)} cannot be compared"
        raise FieldInvalid(field="references", problem=problem)
    return names[0] if names else ""


def options_from_proto(
    request: pb.RankRequest, *, gate: float, min_face_px: float, duplicate_similarity: float
) -> RankOptions:
    """What is asked for; the keyword arguments are the gate and the service's defaults.

    Raises:
        FieldInvalid: weights that are all zero, or an attribute that is wanted with two values.
    """
    return RankOptions(
        identity_gate=gate,
        min_face_px=request.min_face_px if request.HasField("min_face_px") else min_face_px,
        duplicate_similarity=(
            request.duplicate_similarity if request.HasField("duplicate_similarity") else duplicate_similarity
        ),
        weights=_weights(request),
        wanted=_wanted(request.wanted_attributes),
        is_face_optional=request.face_optional,
    )


def _weights(request: pb.RankRequest) -> RankWeights:
    if not request.HasField("weights"):
        return RankWeights()
    given = request.weights
    try:
        return RankWeights(
            given.best_similarity, given.mean_similarity, given.quality, given.attributes, given.artefacts
        )
    except ValueError as error:
        raise FieldInvalid(field="weights", problem="all are zero") from error


def _wanted(messages: Iterable[face_pb2.FaceAttribute]) -> dict[str, str]:
    wanted: dict[str, str] = {}
    for message in messages:
        if wanted.setdefault(message.name, message.value) != message.value:
            raise FieldInvalid(field="wanted_attributes", problem=f"{message.name} is wanted with two values")
    return wanted


def gate_asked_for(request: pb.RankRequest) -> dict[str, float | None]:
    """The request's own threshold and rate, as `Gates.choose` takes them."""
    return {
        "requested": request.identity_gate if request.HasField("identity_gate") else None,
        "rate": request.false_accept_rate if request.HasField("false_accept_rate") else None,
    }


def response_to_proto(verdicts: Iterable[Verdict], gate: AppliedGate) -> pb.RankResponse:
    """The response of Rank."""
    return pb.RankResponse(
        candidates=[verdict_to_proto(verdict) for verdict in verdicts],
        identity_gate=gate.threshold,
        false_accept_rate=gate.false_accept_rate,
        false_reject_rate=gate.false_reject_rate,
    )


def verdict_to_proto(verdict: Verdict) -> pb.RankedCandidate:
    """One verdict."""
    message = pb.RankedCandidate(
        candidate_id=verdict.name,
        rank=verdict.rank,
        score=verdict.score,
        best_reference_index=-1,
        rejection=to_refusal(verdict.refusal) if verdict.refusal else None,
        checks=[pb.ArtefactCheck(name=check.name, score=check.score) for check in verdict.checks],
    )
    if verdict.merits is not None:
        similarity = verdict.merits.similarity
        message.best_similarity = similarity.best
        message.mean_similarity = similarity.mean
        message.best_reference_index = similarity.best_index
        message.quality = verdict.merits.quality
        if verdict.merits.attributes is not None:
            message.attribute_match = verdict.merits.attributes
    return message
