"""Rank: by which cosine a candidate counts as the person, and what is told about the gate."""

import pytest
from likeness.fusion.v1 import fusion_pb2 as pb

from services.fusion.adapters.gate_file import load_gates
from shared.errors import ErrorReason
from tests.support.fusion_wire import REFERENCES, ranked_input
from tests.support.refused_calls import refused

CALIBRATED = next(iter(load_gates().values()))


def request_by(model, **how):
    """A candidate and references whose embeddings are all of this model."""
    request = pb.RankRequest(candidates=[ranked_input("a", 1.0)], references=REFERENCES, **how)
    for embedding in (*request.references, request.candidates[0].faces[0].embedding):
        embedding.model = model
    return request


async def test_requested_gate_counts_and_is_told(stub):
    request = pb.RankRequest(candidates=[ranked_input("a", 0.5)], references=REFERENCES, identity_gate=0.4)

    answer = await stub.Rank(request)

    assert (1, pytest.approx(0.4)) == (answer.candidates[0].rank, answer.identity_gate)


async def test_calibrated_gate_goes_by_the_rate_and_tells_what_it_does(stub):
    request = request_by(CALIBRATED.model)

    usual = await stub.Rank(request)
    request.false_accept_rate = 0.1
    lax = await stub.Rank(request)

    assert 0 < usual.false_accept_rate < 0.002 and 0 < usual.false_reject_rate < 1
    assert lax.identity_gate < usual.identity_gate and lax.false_accept_rate > usual.false_accept_rate


async def test_rate_that_was_not_calibrated_is_refused_and_the_others_are_named(stub):
    request = request_by(CALIBRATED.model, false_accept_rate=0.5)

    _, error = await refused(stub.Rank(request))

    assert error.reason == ErrorReason.VALUE_OUT_OF_RANGE and "0.001" in error.message


async def test_embedder_without_a_calibrated_gate_needs_one_in_the_request(stub):
    request = request_by("new-net")

    _, error = await refused(stub.Rank(request))

    assert error.reason == ErrorReason.FIELD_INVALID and "new-net" in error.message
