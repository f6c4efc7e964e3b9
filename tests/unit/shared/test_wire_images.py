"""common.v1.Image in and out."""

import numpy as np
import pytest
from likeness.common.v1 import image_pb2

from shared.artifacts import UnknownArtifact, open_store
from shared.context import request_scope
from shared.errors.common import FieldInvalid
from shared.images import ImageUnreadable, encode_png
from shared.wire import INLINE_LIMIT_BYTES, read_image, to_refusal, write_image

SMALL = np.arange(75, dtype=np.uint8).reshape(5, 5, 3)


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path))


async def test_small_picture_travels_inline_and_comes_back_equal(store):
    message = await write_image(SMALL, store=store, tenant="a", name="x.png")

    assert (message.WhichOneof("source"), message.name) == ("data", "x.png")
    assert (await read_image(message, position="image 1", store=store, tenant="a") == SMALL).all()


async def test_large_picture_becomes_an_artifact_of_the_current_tenant(store):
    noise = np.random.default_rng(0).integers(0, 256, (1300, 1300, 3), dtype=np.uint8)
    assert len(encode_png(noise)) > INLINE_LIMIT_BYTES

    with request_scope(tenant="ada"):
        message = await write_image(noise, store=store)
        back = await read_image(message, position="image 1", store=store)
    assert message.artifact.uri.startswith("artifacts/ada/")
    assert (noise == back).all()
    with pytest.raises(UnknownArtifact):
        await read_image(message, position="image 1", store=store, tenant="bob")
    with pytest.raises(ValueError, match="store"):
        await write_image(noise, store=None, tenant="ada")


async def test_reference_whose_digest_is_not_its_address_is_unknown(store):
    stored = store.put(encode_png(SMALL), tenant="a", media_type="image/png")
    message = image_pb2.Image(artifact=image_pb2.ArtifactRef(uri=stored.uri, sha256="0" * 64))

    with pytest.raises(UnknownArtifact):
        await read_image(message, position="image 1", store=store, tenant="a")


@pytest.mark.parametrize(("name", "expected"), [("", "image 3"), ("mum.jpg", "mum.jpg")])
async def test_errors_call_a_picture_by_its_name_or_its_position(store, name, expected):
    with pytest.raises(ImageUnreadable) as caught:
        message = image_pb2.Image(data=b"no picture", name=name)
        await read_image(message, position="image 3", store=store, tenant="a")

    assert expected == caught.value.metadata["image"]
    assert (expected, "IMAGE_UNREADABLE") == (
        to_refusal(caught.value).metadata["image"],
        to_refusal(caught.value).reason,
    )


async def test_message_without_a_source_is_refused():
    with pytest.raises(FieldInvalid, match="image 1"):
        await read_image(image_pb2.Image(), position="image 1", store=None, tenant="a")
