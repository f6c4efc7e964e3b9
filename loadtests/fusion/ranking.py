"""The twenty finished candidates of a person in the order of our score, and in FaceChain's."""

from collections.abc import Sequence
from typing import Any

from likeness.common.v1 import face_pb2, image_pb2
from likeness.fusion.v1 import fusion_pb2 as pb

from loadtests.common.services import CALL_TIMEOUT_S, Services
from loadtests.fusion.chain import Finished
from loadtests.fusion.facechain_ranking import facechain_order
from loadtests.fusion.looks import References
from services.orchestrator.domain.styles import Style
from services.orchestrator.domain.wanted import wanted_attributes


def rankings(
    services: Services, finished: Sequence[Finished], references: References, prompt: str, style: Style
) -> dict[str, Any]:
    """Returns our verdicts in order, the gate, and FaceChain's order of the same pictures.

    Asked as the orchestrator does: with the attributes that the prompt names, and the style's gate.
    """
    pictures = [one.pictures["finished"] for one in finished]
    request = pb.RankRequest(
        candidates=[
            pb.RankedInput(candidate_id=str(index), faces=seen.faces, image=image_pb2.Image(data=seen.data))
            for index, seen in enumerate(pictures)
        ],
        references=comparison_embeddings(references),
        identity_gate=style.min_similarity,
        false_accept_rate=style.false_accept_rate,
        wanted_attributes=[
            face_pb2.FaceAttribute(name=wanted.name, value=wanted.value)
            for wanted in wanted_attributes(prompt)
        ],
    )
    response = services.fusion.Rank(request, timeout=CALL_TIMEOUT_S)
    return {
        "gate": response.identity_gate,
        "ours": [verdict_json(verdict) for verdict in response.candidates],
        "facechain": facechain_order(pictures, references.photos),
    }


def comparison_embeddings(references: References) -> list[image_pb2.Embedding]:
    """Returns the embeddings that Rank takes."""
    faces = [photo.only for photo in references.photos if photo.only is not None]
    return [
        face.comparison_embedding if face.HasField("comparison_embedding") else face.embedding
        for face in faces
    ]


def verdict_json(verdict: pb.RankedCandidate) -> dict[str, Any]:
    """Returns a verdict for the result file."""
    return {
        "index": int(verdict.candidate_id),
        "rank": verdict.rank,
        "score": verdict.score,
        "best_similarity": verdict.best_similarity,
        "rejection": verdict.rejection.reason if verdict.HasField("rejection") else "",
        "checks": {check.name: check.score for check in verdict.checks},
    }
