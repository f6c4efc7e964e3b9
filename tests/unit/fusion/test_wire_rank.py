"""Messages of Rank to domain values and back."""

import pytest
from likeness.common.v1 import face_pb2, image_pb2
from likeness.fusion.v1 import fusion_pb2 as pb

from services.fusion import wire_rank
from services.fusion.domain.checks import Check
from services.fusion.domain.ranking import Verdict
from services.fusion.domain.scoring import Merits, RankWeights, Similarity
from services.fusion.engine.gating import AppliedGate
from services.fusion.errors import BelowIdentityGate
from shared.errors.common import FieldInvalid

DEFAULTS = {"min_face_px": 48.0, "duplicate_similarity": 0.98}
REFUSAL = BelowIdentityGate(image="c1", similarity="0.100", gate="0.940")


def options(**fields):
    return wire_rank.options_from_proto(pb.RankRequest(**fields), gate=0.5, **DEFAULTS)


def attribute(name, value):
    return face_pb2.FaceAttribute(name=name, value=value)


def test_options_take_the_request_before_the_defaults():
    asked = options(min_face_px=0, weights=pb.RankWeights(quality=1, artefacts=0.5))

    assert (0, 0.98, RankWeights(0, 0, 1, 0, 0.5)) == (
        asked.min_face_px,
        asked.duplicate_similarity,
        asked.weights,
    )
    assert options().weights == RankWeights()


def test_weights_that_are_all_zero_are_refused():
    with pytest.raises(FieldInvalid, match="weights"):
        options(weights=pb.RankWeights())


def test_wanted_attributes_are_told_by_name_and_may_not_contradict_one_another():
    twice = [attribute("beard", "full"), attribute("beard", "full"), attribute("sex", "male")]

    assert options(wanted_attributes=twice).wanted == {"beard": "full", "sex": "male"}
    with pytest.raises(FieldInvalid, match="beard is wanted with two values"):
        options(wanted_attributes=[attribute("beard", "full"), attribute("beard", "none")])


def named(model, compared=None):
    face = face_pb2.Face(embedding=image_pb2.Embedding(values=[1], model=model))
    if compared is not None:
        face.comparison_embedding.CopyFrom(image_pb2.Embedding(values=[1], model=compared))
    return pb.RankedInput(candidate_id="a", faces=[face])


def test_the_compared_embeddings_name_the_embedder():
    references = [image_pb2.Embedding(values=[1], model="metric-2")]

    def of(*candidates):
        return wire_rank.embedder_of(pb.RankRequest(candidates=candidates, references=references))

    assert of(named("net", "metric-2")) == "metric-2"
    assert of(named("")) == "metric-2"
    with pytest.raises(FieldInvalid, match="metric-2 and net"):
        of(named("net"))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (None, None)),
        ({"identity_gate": 0.0}, (0.0, None)),
        ({"false_accept_rate": 0.25}, (None, 0.25)),
    ],
)
def test_absent_and_zero_gates_are_told_apart(fields, expected):
    asked = wire_rank.gate_asked_for(pb.RankRequest(**fields))

    assert (asked["requested"], asked["rate"]) == expected


def test_verdict_carries_the_refusal_with_its_reason():
    merits = Merits(Similarity(0.1, 3, 0.05), 0.75, 0.5, None)

    message = wire_rank.verdict_to_proto(
        Verdict("c1", 0, 0.2, merits, REFUSAL, (Check("flat", 0.5, "flat"),))
    )

    assert message.rejection.reason == "BELOW_IDENTITY_GATE"
    assert dict(message.rejection.metadata) == {"image": "c1", "similarity": "0.100", "gate": "0.940"}
    assert (message.best_reference_index, message.rank, message.quality) == (3, 0, 0.75)
    assert [(check.name, check.score) for check in message.checks] == [("flat", 0.5)]
    assert not message.HasField("attribute_match")


def test_faceless_verdict_has_no_similarity():
    faceless = wire_rank.verdict_to_proto(Verdict("c2", 0, 0.0, None, REFUSAL))

    assert (faceless.best_reference_index, faceless.best_similarity) == (-1, 0.0)


def test_matched_share_of_zero_is_not_absent():
    merits = Merits(Similarity(0.9, 0, 0.9), 1.0, 1.0, 0.0)

    assert wire_rank.verdict_to_proto(Verdict("c", 1, 0.9, merits, None)).HasField("attribute_match")


def test_rates_are_told_for_a_calibrated_gate_only():
    calibrated = wire_rank.response_to_proto([], AppliedGate(0.25, 0.0, 0.125))
    own = wire_rank.response_to_proto([], AppliedGate(0.5))

    assert (calibrated.identity_gate, calibrated.false_accept_rate, calibrated.false_reject_rate) == (
        0.25,
        0.0,
        0.125,
    )
    assert calibrated.HasField("false_accept_rate") and not own.HasField("false_reject_rate")
