"""Identities over the real transport: the acceptance report, uploads, deletion, and who sees what."""

import hashlib
import io
from collections.abc import Iterator

import grpc
import numpy as np
import pytest
from likeness.common.v1 import image_pb2, job_pb2
from likeness.orchestrator.v1 import orchestrator_pb2 as pb
from likeness.orchestrator.v1 import resources_pb2 as res
from PIL import Image

from services.orchestrator.adapters.artifacts import LinkedArtifacts
from services.orchestrator.adapters.sql_store import SqlStore
from services.orchestrator.adapters.tables import open_database
from shared.errors.common import CapabilityUnavailable
from shared.errors.rpc import from_rpc_error
from shared.images import encode_png
from tests.support.fake_services import picture
from tests.support.orchestra import Orchestra, orchestra, photos

Parts = list[pb.UploadIdentityRequest]


def blobs(stage: Orchestra, tenant: str = "default") -> list[str]:
    return stage.fakes.store.list_uris(tenant=tenant)


def upload(*contents: bytes, name: str = "", request_id: str = "", chunk: int = 1000) -> Parts:
    """The messages of a sound upload."""
    parts = [pb.UploadIdentityRequest(header=pb.UploadHeader(display_name=name, request_id=request_id))]
    for number, data in enumerate(contents):
        start = pb.UploadPhotoStart(
            display_name=f"{number}.png", size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest()
        )
        parts.append(pb.UploadIdentityRequest(photo=start))
        parts += [pb.UploadIdentityRequest(chunk=data[at : at + chunk]) for at in range(0, len(data), chunk)]
    return parts


def broken_uploads() -> Iterator[tuple[str, Parts, str]]:
    """Name, messages, and a word of the cause."""
    data = picture(1)
    sound = upload(data, data)
    yield "no header", sound[1:], "header"
    yield "two headers", [sound[0], *sound], "second header"
    yield "chunk first", [sound[0], *sound[2:]], "before the start"
    yield "cut off", sound[:-1], "ended after"
    yield "too long", [*sound, pb.UploadIdentityRequest(chunk=b"x")], "longer"
    wrong = upload(data)
    wrong[1].photo.sha256 = "0" * 64
    yield "wrong digest", wrong, "SHA-256"
    yield "too many photos", upload(*[b"x"] * 65), "more than 64"


async def fails(call, reason: str, status: grpc.StatusCode) -> dict[str, str]:
    """The call fails like this; return the metadata."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    error = from_rpc_error(caught.value)
    assert (error.reason, caught.value.code()) == (reason, status), error.message
    return error.metadata


async def test_each_photo_gets_its_verdict(stage: Orchestra):
    request = pb.CreateIdentityRequest(
        display_name="Ada",
        photos=[
            *photos(1, 2),
            image_pb2.Image(data=picture(1, sharp=False), name="blurred.png"),
            image_pb2.Image(data=picture(2), name="somebody else.png"),
            image_pb2.Image(data=picture(1, faces=0)),
            image_pb2.Image(data=b"no picture at all", name="text.txt"),
            image_pb2.Image(data=picture(1)[:100], name="cut.png"),
        ],
    )

    identity = await stage.client.stub.CreateIdentity(request)

    assert identity.display_name == "Ada"
    verdicts = [(photo.is_accepted, [item.reason for item in photo.refusals]) for photo in identity.photos]
    assert verdicts == [
        (True, []),
        (True, []),
        (False, ["FACE_TOO_BLURRED"]),
        (False, ["DIFFERENT_PERSON"]),
        (False, ["NO_FACE_FOUND"]),
        (False, ["IMAGE_UNREADABLE"]),
        (False, ["IMAGE_TRUNCATED"]),
    ]
    assert [photo.display_name for photo in identity.photos][4:6] == ["image 5", "text.txt"]
    kept = [photo.HasField("artifact") for photo in identity.photos]
    assert kept == [True, True, True, True, True, False, False], "what cannot be read is not kept"
    assert {item.name: item.value for item in identity.attributes}["hair_color"] == "red"
    found = await stage.client.stub.GetIdentity(pb.GetIdentityRequest(name=identity.name))
    assert found == identity


async def test_without_a_usable_photo_nothing_is_kept(stage: Orchestra):
    request = pb.CreateIdentityRequest(
        photos=[image_pb2.Image(data=picture(1, faces=0)), image_pb2.Image(data=b"text", name="a.txt")]
    )

    metadata = await fails(
        stage.client.stub.CreateIdentity(request), "NO_USABLE_PHOTO", grpc.StatusCode.FAILED_PRECONDITION
    )

    assert metadata["count"] == "2"
    assert metadata["refusals"] == "image 1: NO_FACE_FOUND; a.txt: IMAGE_UNREADABLE"
    assert blobs(stage) == []
    assert not (await stage.client.stub.ListIdentities(pb.ListIdentitiesRequest())).identities


async def test_an_empty_set_is_refused(stage: Orchestra):
    await fails(
        stage.client.stub.CreateIdentity(pb.CreateIdentityRequest()),
        "EMPTY_PHOTO_SET",
        grpc.StatusCode.INVALID_ARGUMENT,
    )
    await fails(
        stage.client.stub.UploadIdentity(iter(upload())),
        "EMPTY_PHOTO_SET",
        grpc.StatusCode.INVALID_ARGUMENT,
    )


async def test_an_upload_makes_the_same_identity_as_inline_photos(stage: Orchestra):
    data = [picture(1, seed=seed) for seed in range(3)]

    identity = await stage.client.stub.UploadIdentity(iter(upload(*data, name="Ada")))

    assert identity.display_name == "Ada"
    digests = [photo.artifact.sha256 for photo in identity.photos]
    assert digests == [hashlib.sha256(photo).hexdigest() for photo in data]
    assert await stage.client.download(identity.photos[0].artifact) == data[0]


async def test_a_broken_upload_says_why_and_leaves_nothing_behind(stage: Orchestra):
    for name, parts, cause in broken_uploads():
        metadata = await fails(
            stage.client.stub.UploadIdentity(iter(parts)), "UPLOAD_BROKEN", grpc.StatusCode.INVALID_ARGUMENT
        )

        assert cause in metadata["cause"], name
        assert blobs(stage) == [], name
    assert not (await stage.client.stub.ListIdentities(pb.ListIdentitiesRequest())).identities


async def test_an_upload_that_the_client_leaves_keeps_nothing(stage: Orchestra):
    call = stage.client.stub.UploadIdentity()
    for part in upload(picture(1))[:-1]:
        await call.write(part)
    call.cancel()

    assert not (await stage.client.stub.ListIdentities(pb.ListIdentitiesRequest())).identities
    assert blobs(stage) == []


async def test_a_repeated_request_gives_the_same_identity_and_another_body_is_refused(stage: Orchestra):
    first = await stage.client.identity(1, request_id="a")
    again = await stage.client.identity(1, request_id="a")

    assert first == again
    assert len(stage.fakes.script.calls["CuratePhotos"]) == 1
    await fails(stage.client.identity(2, request_id="a"), "REQUEST_ID_REUSED", grpc.StatusCode.ALREADY_EXISTS)
    parts = upload(picture(1), request_id="b")
    uploaded = [await stage.client.stub.UploadIdentity(iter(parts)) for _ in range(2)]
    assert uploaded[0] == uploaded[1]
    await fails(
        stage.client.stub.UploadIdentity(iter(upload(picture(2), request_id="b"))),
        "REQUEST_ID_REUSED",
        grpc.StatusCode.ALREADY_EXISTS,
    )


async def test_pages_are_complete_and_in_order(stage: Orchestra):
    made = [await stage.client.identity(1, 1) for _ in range(5)]

    names, token, sizes = [], "", []
    while True:
        request = pb.ListIdentitiesRequest(page_size=2, page_token=token)
        page = await stage.client.stub.ListIdentities(request)
        names += [identity.name for identity in page.identities]
        sizes.append(len(page.identities))
        if not (token := page.next_page_token):
            break

    assert names == made[::-1]
    assert sizes == [2, 2, 1]
    await fails(
        stage.client.stub.ListIdentities(pb.ListIdentitiesRequest(page_token="nonsense")),
        "PAGE_TOKEN_INVALID",
        grpc.StatusCode.INVALID_ARGUMENT,
    )


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
    assert blobs(stage) == []
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
    assert blobs(stage) == []


async def test_a_photo_of_two_identities_goes_with_the_last(stage: Orchestra):
    first, second = await stage.client.identity(1), await stage.client.identity(1)
    before = blobs(stage)

    receipt = await stage.client.stub.DeleteIdentity(pb.DeleteIdentityRequest(name=first))

    assert receipt.artifact_count == 0
    assert blobs(stage) == before
    receipt = await stage.client.stub.DeleteIdentity(pb.DeleteIdentityRequest(name=second))
    assert receipt.artifact_count == len(before)
    assert blobs(stage) == []


async def test_deleting_a_portrait_keeps_the_identity(stage: Orchestra):
    identity = await stage.client.identity()
    before = blobs(stage)
    portrait = await stage.client.finished((await stage.client.create(identity)).name)

    deleted = await stage.client.stub.DeletePortrait(pb.DeletePortraitRequest(name=portrait.name))

    assert deleted.artifact_count > 4
    assert blobs(stage) == before
    await fails(stage.client.get(portrait.name), "UNKNOWN_PORTRAIT", grpc.StatusCode.NOT_FOUND)


async def test_nothing_of_one_tenant_is_visible_to_another(stage: Orchestra):
    identity = await stage.client.identity()
    portrait = await stage.client.finished((await stage.client.create(identity)).name)
    other, channel = stage.client_of("other")
    stub, not_found = other.stub, grpc.StatusCode.NOT_FOUND

    await fails(stub.GetIdentity(pb.GetIdentityRequest(name=identity)), "UNKNOWN_IDENTITY", not_found)
    await fails(stub.DeleteIdentity(pb.DeleteIdentityRequest(name=identity)), "UNKNOWN_IDENTITY", not_found)
    await fails(other.create(identity), "UNKNOWN_IDENTITY", not_found)
    for call in (
        other.get(portrait.name),
        other.watch(portrait.name),
        stub.CancelPortrait(pb.CancelPortraitRequest(name=portrait.name)),
        stub.DeletePortrait(pb.DeletePortraitRequest(name=portrait.name)),
    ):
        await fails(call, "UNKNOWN_PORTRAIT", not_found)
    await fails(other.download(portrait.candidates[0].artifact), "UNKNOWN_ARTIFACT", not_found)
    assert not (await stub.ListIdentities(pb.ListIdentitiesRequest())).identities
    assert not (await stub.ListPortraits(pb.ListPortraitsRequest())).portraits
    await channel.close()
    assert await stage.client.get(portrait.name) == portrait


async def test_blobs_of_a_creation_that_a_crash_cut_short_are_swept_at_the_next_start(tmp_path):
    async with orchestra(tmp_path) as stage:
        identity = await stage.client.identity()
        kept = blobs(stage)
    records = SqlStore(open_database(f"sqlite:///{tmp_path / 'records.sqlite'}"))
    artifacts = LinkedArtifacts(stage.fakes.store, records)
    for owner in ("uploads/1", "identities/1"):
        await artifacts.put(owner.encode(), tenant="default", owner=owner, media_type="image/png")
    records.close()
    assert len(blobs(stage)) == len(kept) + 2

    async with orchestra(tmp_path) as stage:
        assert blobs(stage) == kept
        assert await stage.client.stub.GetIdentity(pb.GetIdentityRequest(name=identity))


async def test_a_photo_over_4_mib_travels_by_reference(stage: Orchestra):
    rgb = np.random.default_rng(0).integers(0, 256, (1200, 1300, 3), dtype=np.uint8)
    rgb[0, :3] = [[1] * 3, [4] * 3, [1] * 3]
    large = encode_png(rgb)
    assert len(large) > 4 * 2**20

    identity = await stage.client.stub.UploadIdentity(iter(upload(large, chunk=2**20)))

    assert identity.photos[0].is_accepted
    [request] = stage.fakes.script.calls["CuratePhotos"]
    assert request.photos[0].artifact.sha256 == hashlib.sha256(large).hexdigest()
    portrait = await stage.client.finished((await stage.client.create(identity.name)).name)
    assert portrait.state == job_pb2.JOB_STATE_SUCCEEDED, portrait.error
    template = stage.fakes.script.calls["Fuse"][0].templates[0].image
    data = stage.fakes.store.get(template.artifact.uri, tenant="default")
    sizes = Image.open(io.BytesIO(data)).size
    assert max(sizes) == 1024, "fusion gets a crop that fits"
