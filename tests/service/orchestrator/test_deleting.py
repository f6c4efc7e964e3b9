"""What a deletion takes with it and what it leaves, and what is swept after a crash."""

import grpc
from likeness.orchestrator.v1 import orchestrator_pb2 as pb
from likeness.orchestrator.v1 import resources_pb2 as res

from services.orchestrator.adapters.artifacts import LinkedArtifacts
from services.orchestrator.adapters.sql_store import SqlStore
from services.orchestrator.adapters.tables import open_database
from shared.errors.common import CapabilityUnavailable
from tests.support.orchestra import Orchestra, orchestra
from tests.support.refused_calls import fails


async def test_deleting_an_identity_deletes_everything_and_says_what(stage: Orchestra):
    identity = await stage.client.identity(1, 3)
    trained = await stage.client.create(identity, mode=res.IDENTITY_MODE_TRAIN)
    await stage.client.finished(trained.name)
    stage.fakes.step_s = 0.5
    running = await stage.client.create(identity)

    receipt = await stage.client.stub.DeleteIdentity(pb.DeleteIdentityRequest(name=identity))

    assert (receipt.photo_count, receipt.embedding_count) == (3, 3)
    assert (receipt.adapter_count, receipt.training_job_count) == (1, 1)
    assert receipt.portrait_count == 2
    assert receipt.artifact_count > 3
    assert stage.blobs() == []
    for name in (trained.name, running.name):
        await fails(stage.client.get(name), "UNKNOWN_PORTRAIT", grpc.StatusCode.NOT_FOUND)
    await fails(
        stage.client.stub.GetIdentity(pb.GetIdentityRequest(name=identity)),
        "UNKNOWN_IDENTITY",
        grpc.StatusCode.NOT_FOUND,
    )
    (evicted,) = stage.fakes.script.calls["EvictAdapters"]
    assert [uri for uri in evicted.uris if uri.startswith("artifacts/default/")], "diffusion forgets it too"
    left = [file.name for file in stage.folder.glob("*.sqlite*") if b"embedding" in file.read_bytes()]
    assert left == [], "not even in the free pages and logs of the databases"


async def test_an_identity_is_deleted_though_diffusion_cannot_be_told(stage: Orchestra):
    identity = await stage.client.identity(1, 3)
    trained = await stage.client.create(identity, mode=res.IDENTITY_MODE_TRAIN)
    await stage.client.finished(trained.name)
    error = CapabilityUnavailable(capability="forgetting adapters", needed="an update")
    stage.fakes.script.queue("EvictAdapters", error)

    receipt = await stage.client.stub.DeleteIdentity(pb.DeleteIdentityRequest(name=identity))

    assert receipt.adapter_count == 1
    assert stage.blobs() == []


async def test_a_photo_of_two_identities_goes_with_the_last(stage: Orchestra):
    first, second = await stage.client.identity(1), await stage.client.identity(1)
    before = stage.blobs()

    receipt = await stage.client.stub.DeleteIdentity(pb.DeleteIdentityRequest(name=first))

    assert receipt.artifact_count == 0
    assert stage.blobs() == before
    receipt = await stage.client.stub.DeleteIdentity(pb.DeleteIdentityRequest(name=second))
    assert receipt.artifact_count == len(before)
    assert stage.blobs() == []


async def test_deleting_a_portrait_keeps_the_identity(stage: Orchestra):
    identity = await stage.client.identity()
    before = stage.blobs()
    portrait = await stage.client.finished((await stage.client.create(identity)).name)

    deleted = await stage.client.stub.DeletePortrait(pb.DeletePortraitRequest(name=portrait.name))

    assert deleted.artifact_count > 4
    assert stage.blobs() == before
    await fails(stage.client.get(portrait.name), "UNKNOWN_PORTRAIT", grpc.StatusCode.NOT_FOUND)


async def test_blobs_of_a_creation_that_a_crash_cut_short_are_swept_at_the_next_start(tmp_path):
    async with orchestra(tmp_path) as stage:
        identity = await stage.client.identity()
        kept = stage.blobs()
    records = SqlStore(open_database(f"sqlite:///{tmp_path / 'records.sqlite'}"))
    artifacts = LinkedArtifacts(stage.fakes.store, records)
    for owner in ("uploads/1", "identities/1"):
        await artifacts.put(owner.encode(), tenant="default", owner=owner, media_type="image/png")
    records.close()
    assert len(stage.blobs()) == len(kept) + 2

    async with orchestra(tmp_path) as stage:
        assert stage.blobs() == kept
        assert await stage.client.stub.GetIdentity(pb.GetIdentityRequest(name=identity))
