"""What bad requests get, and what a repeated one gets."""

import asyncio

import grpc
import pytest
from likeness.common.v1 import job_pb2
from likeness.orchestrator.v1 import orchestrator_pb2 as pb
from likeness.orchestrator.v1 import resources_pb2 as res

from tests.support.orchestra import Orchestra, orchestra
from tests.support.refused_calls import fails, refused


async def test_a_repeated_request_gives_the_same_portrait(stage: Orchestra):
    identity = await stage.client.identity()

    made = await asyncio.gather(*(stage.client.create(identity, request_id="r", seed=1) for _ in range(3)))
    done = await stage.client.finished(made[0].name)
    later = await stage.client.create(identity, request_id="r", seed=1)

    assert {portrait.name for portrait in made} == {done.name} == {later.name}
    assert later.state == job_pb2.JOB_STATE_SUCCEEDED
    assert len(stage.fakes.script.calls["Generate"]) == 4
    assert len((await stage.client.stub.ListPortraits(pb.ListPortraitsRequest())).portraits) == 1


async def test_a_request_id_with_another_body_is_refused(stage: Orchestra):
    identity = await stage.client.identity()
    await stage.client.create(identity, request_id="r", seed=1)

    await fails(
        stage.client.create(identity, request_id="r", seed=2),
        "REQUEST_ID_REUSED",
        grpc.StatusCode.ALREADY_EXISTS,
    )


async def test_request_ids_of_two_tenants_have_nothing_to_do_with_each_other(stage: Orchestra):
    identity = await stage.client.identity(request_id="r")
    other, channel = stage.client_of("other")

    assert await other.identity(2, request_id="r") != identity
    await channel.close()


async def test_an_unknown_identity_is_not_found(stage: Orchestra):
    error = await fails(
        stage.client.create("identities/nobody"), "UNKNOWN_IDENTITY", grpc.StatusCode.NOT_FOUND
    )
    assert "identities/nobody" in error.message


async def test_an_unknown_style_is_not_found_and_the_known_ones_are_named(stage: Orchestra):
    identity = await stage.client.identity()

    error = await fails(
        stage.client.create(identity, style="styles/cubist"), "UNKNOWN_STYLE", grpc.StatusCode.NOT_FOUND
    )

    assert "styles/studio" in error.message
    await fails(
        stage.client.stub.GetStyle(pb.GetStyleRequest(name="styles/cubist")),
        "UNKNOWN_STYLE",
        grpc.StatusCode.NOT_FOUND,
    )


async def test_values_out_of_range_are_refused_by_field(stage: Orchestra):
    wrong = {
        "portrait_count": 17,
        "candidate_count": 65,
        "size_px": 300,
        "seed": -1,
        "prompt": "x" * 1001,
        "style": "Studio!",
        "mode": 9,
    }
    for field, value in [*wrong.items(), ("portrait_count", -1)]:
        error = await fails(
            stage.client.create("identities/a", **{field: value}),
            "FIELD_INVALID",
            grpc.StatusCode.INVALID_ARGUMENT,
        )
        assert field in error.message


async def test_fewer_candidates_than_portraits_are_refused(stage: Orchestra):
    identity = await stage.client.identity()

    await fails(
        stage.client.create(identity, portrait_count=4, candidate_count=3),
        "VALUE_OUT_OF_RANGE",
        grpc.StatusCode.INVALID_ARGUMENT,
    )


async def test_defaults_are_filled_in(stage: Orchestra):
    identity = await stage.client.identity()

    request = pb.CreatePortraitRequest(spec=res.PortraitSpec(identity=identity))
    portrait = await stage.client.stub.CreatePortrait(request)

    assert portrait.spec.style == "styles/studio"
    assert portrait.spec.portrait_count == 4
    assert portrait.spec.candidate_count == 20
    assert portrait.spec.size_px == 256
    wanted = portrait.spec.finishing
    assert [wanted.fuse, wanted.restore_marks, wanted.restore_texture, wanted.enhance] == [True] * 4
    await stage.client.stub.CancelPortrait(pb.CancelPortraitRequest(name=portrait.name))


async def test_too_many_portraits_get_a_full_queue_with_a_delay(tmp_path):
    async with orchestra(tmp_path, max_active_portraits=1) as stage:
        identity = await stage.client.identity()
        stage.fakes.step_s = 1
        await stage.client.create(identity)

        _, error = await refused(stage.client.create(identity))

        assert error.reason == "QUEUE_FULL"
        assert error.retry_after_s is not None and error.retry_after_s > 0


async def test_a_deadline_in_the_past_is_told_and_nothing_begins(stage: Orchestra):
    identity = await stage.client.identity()
    spec = res.PortraitSpec(identity=identity)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stage.client.stub.CreatePortrait(pb.CreatePortraitRequest(spec=spec), timeout=-1)

    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert not (await stage.client.stub.ListPortraits(pb.ListPortraitsRequest())).portraits


async def test_the_callers_deadline_travels_to_face_analysis(stage: Orchestra):
    stage.fakes.step_s = 5

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stage.client.stub.CreateIdentity(pb.CreateIdentityRequest(photos=[{"data": b"x"}]), timeout=0.3)

    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert stage.blobs() == []


async def test_the_work_goes_on_when_the_client_is_gone(stage: Orchestra):
    stage.fakes.step_s = 0.01
    identity = await stage.client.identity()
    other, channel = stage.client_of("default")
    name = (await other.create(identity)).name
    await channel.close()

    assert (await stage.client.finished(name)).state == job_pb2.JOB_STATE_SUCCEEDED


async def test_portraits_are_listed_by_identity(stage: Orchestra):
    first, second = await stage.client.identity(1), await stage.client.identity(2)
    mine = [(await stage.client.create(first)).name for _ in range(2)]
    await stage.client.create(second)

    found = await stage.client.stub.ListPortraits(pb.ListPortraitsRequest(identity=first))

    assert [portrait.name for portrait in found.portraits] == mine[::-1]


async def test_a_large_artifact_comes_in_chunks(stage: Orchestra):
    data = bytes(range(256)) * 4096
    ref = stage.fakes.store.put(data, tenant="default", media_type="image/png")

    parts = [
        part async for part in stage.client.stub.DownloadArtifact(pb.DownloadArtifactRequest(uri=ref.uri))
    ]

    assert b"".join(part.chunk for part in parts) == data
    assert max(len(part.chunk) for part in parts) <= 256 * 1024
    assert {part.size_bytes for part in parts} == {len(data)}
