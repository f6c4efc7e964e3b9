"""What holds for every RPC of FusionService: tenants, a cold start, and many callers at a time."""

import asyncio
import uuid

import grpc
import pytest
from likeness.fusion.v1 import fusion_pb2 as pb
from likeness.fusion.v1 import fusion_pb2_grpc

from services.fusion.bootstrap import build
from services.fusion.settings import FusionSettings
from shared.errors import ErrorReason
from shared.images import encode_png
from tests.support.drawn_face import draw_face
from tests.support.fusion_wire import REFERENCES, faced, ranked_input
from tests.support.refused_calls import refused


async def test_artifact_of_another_tenant_is_unknown(stub, store):
    stored = store.put(encode_png(draw_face()[0]), tenant="somebody", media_type="image/png")
    request = pb.FuseRequest(candidate=faced(), templates=[faced()])
    request.candidate.image.artifact.uri = stored.uri

    code, error = await refused(stub.Fuse(request))

    assert (code, error.reason) == (grpc.StatusCode.NOT_FOUND, ErrorReason.UNKNOWN_ARTIFACT)


async def test_cold_service_says_so(serve, store):
    stub = fusion_pb2_grpc.FusionServiceStub(
        await serve([build(FusionSettings(backend="fake"), store=store)], is_warm=False)
    )

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Enhance(pb.EnhanceRequest(image=faced().image), timeout=0.5)

    assert caught.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


async def test_many_callers_get_their_own_answers(stub):
    names = [uuid.uuid4().hex[:8] for _ in range(12)]
    requests = [pb.RankRequest(candidates=[ranked_input(name, 1.0)], references=REFERENCES) for name in names]

    answers = await asyncio.gather(*(stub.Rank(request) for request in requests))

    assert names == [answer.candidates[0].candidate_id for answer in answers]
