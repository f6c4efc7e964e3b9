"""Identities over the real transport: the acceptance report, repeated requests, pages, and who sees what."""

import grpc
from likeness.common.v1 import image_pb2
from likeness.orchestrator.v1 import orchestrator_pb2 as pb

from tests.support.fake_services.pictures import picture
from tests.support.orchestra import Orchestra, photos
from tests.support.refused_calls import fails
from tests.support.uploads import upload


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

    error = await fails(
        stage.client.stub.CreateIdentity(request), "NO_USABLE_PHOTO", grpc.StatusCode.FAILED_PRECONDITION
    )

    assert error.metadata["count"] == "2"
    assert error.metadata["refusals"] == "image 1: NO_FACE_FOUND; a.txt: IMAGE_UNREADABLE"
    assert stage.blobs() == []
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
