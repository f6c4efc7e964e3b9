"""Photos that arrive in chunks: what becomes of sound, broken, abandoned and large uploads."""

import hashlib
import io
from collections.abc import Iterator

import grpc
import numpy as np
from likeness.common.v1 import job_pb2
from likeness.orchestrator.v1 import orchestrator_pb2 as pb
from PIL import Image

from shared.images import encode_png
from tests.support.fake_services.pictures import picture
from tests.support.orchestra import Orchestra
from tests.support.refused_calls import fails
from tests.support.uploads import Parts, upload


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


async def test_an_upload_makes_the_same_identity_as_inline_photos(stage: Orchestra):
    data = [picture(1, seed=seed) for seed in range(3)]

    identity = await stage.client.stub.UploadIdentity(iter(upload(*data, name="Ada")))

    assert identity.display_name == "Ada"
    digests = [photo.artifact.sha256 for photo in identity.photos]
    assert digests == [hashlib.sha256(photo).hexdigest() for photo in data]
    assert await stage.client.download(identity.photos[0].artifact) == data[0]


async def test_a_broken_upload_says_why_and_leaves_nothing_behind(stage: Orchestra):
    for name, parts, cause in broken_uploads():
        error = await fails(
            stage.client.stub.UploadIdentity(iter(parts)), "UPLOAD_BROKEN", grpc.StatusCode.INVALID_ARGUMENT
        )

        assert cause in error.metadata["cause"], name
        assert stage.blobs() == [], name
    assert not (await stage.client.stub.ListIdentities(pb.ListIdentitiesRequest())).identities


async def test_an_upload_that_the_client_leaves_keeps_nothing(stage: Orchestra):
    call = stage.client.stub.UploadIdentity()
    for part in upload(picture(1))[:-1]:
        await call.write(part)
    call.cancel()

    assert not (await stage.client.stub.ListIdentities(pb.ListIdentitiesRequest())).identities
    assert stage.blobs() == []


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
