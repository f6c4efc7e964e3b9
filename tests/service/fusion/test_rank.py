"""Rank: the order of candidates, what a verdict tells, and requests that make no sense."""

import grpc
import pytest
from likeness.common.v1 import face_pb2, image_pb2
from likeness.fusion.v1 import fusion_pb2 as pb

from shared.errors import ErrorReason
from tests.support.fusion_wire import REFERENCES, faced, ranked_input
from tests.support.refused_calls import refused


async def test_rank_gates_by_the_best_reference_and_orders_the_rest(stub):
    candidates = [
        ranked_input("stranger", 0.5),
        ranked_input("good", 0.97),
        ranked_input("crowd", 1.0, faces=2),
        ranked_input("empty", 1.0, faces=0),
        ranked_input("tiny", 1.0, scale=0.2),
        ranked_input("best", 0.99),
    ]

    answer = await stub.Rank(pb.RankRequest(candidates=candidates, references=REFERENCES))

    assert pytest.approx(answer.identity_gate) == 0.95
    assert [c.candidate_id for c in answer.candidates if c.rank] == ["best", "good"]
    reasons = {c.candidate_id: c.rejection.reason for c in answer.candidates if not c.rank}
    assert reasons == {
        "stranger": "BELOW_IDENTITY_GATE",
        "crowd": "SEVERAL_FACES",
        "empty": "NO_FACE_FOUND",
        "tiny": "FACE_TOO_SMALL",
    }
    first = answer.candidates[0]
    assert (first.rank, first.best_reference_index) == (1, 1)
    assert pytest.approx(first.best_similarity, abs=1e-5) == 0.99
    assert all(c.rejection.message for c in answer.candidates if not c.rank)


async def test_verdict_tells_what_the_score_is_made_of(stub):
    candidate = ranked_input("a", 0.99)
    face = candidate.faces[0]
    face.quality.sharpness, face.quality.judged = 0.34, 0.7
    face.quality.defects.add(name="blur", strength=0.55)
    face.attributes.add(name="beard", value="full")
    wanted = [face_pb2.FaceAttribute(name=n, value=v) for n, v in (("beard", "full"), ("glasses", "round"))]

    answer = await stub.Rank(
        pb.RankRequest(candidates=[candidate], references=REFERENCES, wanted_attributes=wanted)
    )

    (verdict,) = answer.candidates
    assert (pytest.approx(verdict.quality), verdict.attribute_match) == (0.7, 1.0)
    scores = [check.score for check in verdict.checks]
    assert scores == sorted(scores) and pytest.approx(scores[:2], abs=1e-3) == [0.5, 0.5]
    assert {"face_count", "face_size", "sharpness", "defect:blur"} == {c.name for c in verdict.checks}


async def test_severe_artefact_is_a_rejection_that_names_the_check(stub):
    candidate = ranked_input("melted", 1.0)
    candidate.faces[0].quality.defects.add(name="distortion", strength=0.95)

    answer = await stub.Rank(pb.RankRequest(candidates=[candidate], references=REFERENCES))

    assert answer.candidates[0].rejection.reason == "PICTURE_DEFECT"
    assert "defect:distortion" in answer.candidates[0].rejection.message


async def test_drawing_without_a_face_passes_where_the_face_is_optional(stub):
    candidates = [ranked_input("empty", 1.0, faces=0), ranked_input("good", 0.97)]

    answer = await stub.Rank(pb.RankRequest(candidates=candidates, references=REFERENCES, face_optional=True))

    assert [(c.candidate_id, c.rank) for c in answer.candidates] == [("good", 1), ("empty", 2)]
    assert answer.candidates[1].best_reference_index == -1


async def test_same_picture_twice_leaves_one(stub):
    candidates = [ranked_input("a", 0.99), ranked_input("b", 0.98)]
    for candidate in candidates:
        candidate.image.CopyFrom(faced(noise_seed=1).image)

    answer = await stub.Rank(pb.RankRequest(candidates=candidates, references=REFERENCES))

    assert [c.rejection.reason for c in answer.candidates] == ["", "NEAR_DUPLICATE"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda r: r.candidates.append(r.candidates[0]), "twice"),
        (lambda r: r.references.append(image_pb2.Embedding(values=[1, 0])), "dimension"),
        (lambda r: r.references.append(image_pb2.Embedding(values=[1, 0, 0], model="other")), "other"),
        (lambda r: r.references[0].CopyFrom(image_pb2.Embedding(values=[0, 0, 0])), "length 0"),
        (lambda r: r.weights.SetInParent(), "zero"),
        (lambda r: r.ClearField("references"), "reference"),
        (lambda r: (setattr(r, "identity_gate", 0.5), setattr(r, "false_accept_rate", 0.01)), "together"),
    ],
)
async def test_ranking_that_makes_no_sense_is_refused(stub, change, text):
    request = pb.RankRequest(candidates=[ranked_input("a", 1.0)], references=REFERENCES)
    change(request)

    code, error = await refused(stub.Rank(request))

    assert (code, error.reason) == (grpc.StatusCode.INVALID_ARGUMENT, ErrorReason.FIELD_INVALID)
    assert text in error.message
