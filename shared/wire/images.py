"""likeness.common.v1.Image in and out: inline up to 4 MiB, an artifact of the caller's tenant beyond."""

from __future__ import annotations

import asyncio

import numpy as np
from likeness.common.v1 import image_pb2
from numpy.typing import NDArray

from shared.artifacts import ArtifactStore, UnknownArtifact
from shared.context import current_request
from shared.errors.common import FieldInvalid
from shared.images import DEFAULT_LIMITS, ImageLimits, decode_image, encode_png

INLINE_LIMIT_BYTES = 4 * 2**20
"""The largest picture that travels inside of a message (rule of common.v1.Image)."""


async def read_image(
    message: image_pb2.Image,
    *,
    position: str,
    store: ArtifactStore | None,
    tenant: str | None = None,
    limits: ImageLimits = DEFAULT_LIMITS,
) -> NDArray[np.uint8]:
    """The picture of a message, decoded in a thread.

    Args:
        message: the picture.
        position: what errors call it where it has no name, such as "image 3" or "candidate".
        store: where artifacts lie; None refuses references.
        tenant: whose artifacts; None takes the current request's tenant.
        limits: bounds that are checked before decoding.

    Returns:
        (H, W, 3) uint8 RGB, upright.

    Raises:
        ImageUnreadable, ImageTruncated, ImageTooLarge, ImageFormatUnsupported: see `decode_image`.
        UnknownArtifact: the reference is not one of this tenant, or its digest is not the stated one.
        FieldInvalid: the message has no source.
    """
    data = await read_bytes(message, position=position, store=store, tenant=tenant)
    return await asyncio.to_thread(decode_image, data, name=message.name or position, limits=limits)


async def read_bytes(
    message: image_pb2.Image, *, position: str, store: ArtifactStore | None, tenant: str | None = None
) -> bytes:
    """The encoded file of a message; arguments and errors as in `read_image`, nothing is decoded."""
    source = message.WhichOneof("source")
    if source == "data":
        return message.data
    if source is None:
        raise FieldInvalid(
            field=f"source of {message.name or position}", problem="data or artifact is needed"
        )
    reference = message.artifact
    if store is None or not _is_consistent(reference):
        raise UnknownArtifact(artifact=reference.uri)
    owner = current_request().tenant if tenant is None else tenant
    return await asyncio.to_thread(store.get, reference.uri, tenant=owner)


async def write_image(
    rgb: NDArray[np.uint8], *, store: ArtifactStore | None, tenant: str | None = None, name: str = ""
) -> image_pb2.Image:
    """*rgb* (H, W, 3) as PNG in a message: inline up to 4 MiB, else stored for *tenant*.

    The same pixels give the same message. See `write_bytes` for the errors.
    """
    data = await asyncio.to_thread(encode_png, rgb)
    return await write_bytes(data, media_type="image/png", store=store, tenant=tenant, name=name)


async def write_bytes(
    data: bytes,
    *,
    media_type: str,
    store: ArtifactStore | None,
    tenant: str | None = None,
    name: str = "",
) -> image_pb2.Image:
    """An encoded picture in a message; arguments as in `write_image`.

    Raises:
        ValueError: it is over 4 MiB and there is no store.
    """
    if len(data) <= INLINE_LIMIT_BYTES:
        return image_pb2.Image(data=data, name=name)
    if store is None:
        raise ValueError(f"{len(data)} bytes do not fit into a message and no store is given")
    owner = current_request().tenant if tenant is None else tenant
    stored = await asyncio.to_thread(store.put, data, tenant=owner, media_type=media_type)
    reference = image_pb2.ArtifactRef(
        uri=stored.uri, sha256=stored.sha256, size_bytes=stored.size_bytes, media_type=stored.media_type
    )
    return image_pb2.Image(artifact=reference, name=name)


def _is_consistent(reference: image_pb2.ArtifactRef) -> bool:
    """Whether the stated digest, if any, is the one that the address ends with."""
    return not reference.sha256 or reference.uri.rsplit("/", 1)[-1] == reference.sha256
