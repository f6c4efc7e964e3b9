"""Reads the pictures of a request, inline or from the artifact store."""

from collections.abc import Iterable

from likeness.common.v1 import image_pb2

from services.orchestrator.adapters.clients import wire
from services.orchestrator.domain.faces import Picture
from shared.artifacts import ArtifactStore
from shared.wire import read_bytes


class RequestPictures:
    """Implements the engine's `PictureReader`."""

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store

    async def pictures(self, images: Iterable[image_pb2.Image], tenant: str) -> list[Picture]:
        """Return the bytes of pictures. Raises UnknownArtifact."""
        found = []
        for position, image in enumerate(images, start=1):
            name = image.name or f"image {position}"
            data = await read_bytes(image, position=name, store=self._store, tenant=tenant)
            ref = wire.from_ref(image.artifact) if image.WhichOneof("source") == "artifact" else None
            found.append(Picture(data, name, ref))
        return found
