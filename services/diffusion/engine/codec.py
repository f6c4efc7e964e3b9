"""The image autoencoder of one model, shared by its pictures; it never runs on the thread of the UNet."""

from collections.abc import Sequence
from concurrent.futures import Executor

import numpy as np
from numpy.typing import NDArray

from services.diffusion.domain.latents import LatentDistribution
from services.diffusion.domain.ports import LatentCodec
from services.diffusion.engine.coalescer import Coalescer
from services.diffusion.metrics import BATCH_SIZE
from shared.telemetry import stage

Array = NDArray[np.float32]
Image = NDArray[np.uint8]

# Activations of an autoencoder take about 1 kB a pixel: larger pictures share a call with fewer.
_MAX_PIXELS = 2**20


class SharedCodec:
    """Decodes that wait while a call runs share the next one, encodes likewise, sizes apart.

    A call holds at most *max_images* and at most 2^20 pixels, but always one picture.
    """

    def __init__(self, name: str, codec: LatentCodec, executor: Executor, max_images: int) -> None:
        self._name = name
        self._codec = codec
        self._max_images = max_images
        self._decodes = Coalescer[Array, Image](self._decode, executor, max_items=self._room_for_latents)
        self._encodes = Coalescer[Image, LatentDistribution](
            self._encode, executor, max_items=lambda image: self._room(image.shape[0] * image.shape[1])
        )

    async def decode(self, latents: Array) -> Image:
        """Picture RGB uint8 [H, W, 3] of latents [C, h, w]. Raises: Draining."""
        return await self._decodes.submit(latents, latents.shape)

    async def encode(self, image: Image) -> LatentDistribution:
        """The picture RGB uint8 [H, W, 3] in latents. Raises: Draining."""
        return await self._encodes.submit(image, image.shape)

    async def close(self) -> None:
        """Fail what waits as draining."""
        await self._decodes.close()
        await self._encodes.close()

    def _room_for_latents(self, latents: Array) -> int:
        return self._room(latents.shape[1] * latents.shape[2] * self._codec.pixels_per_latent**2)

    def _room(self, pixels: int) -> int:
        return max(1, min(self._max_images, _MAX_PIXELS // pixels))

    def _decode(self, latents: Sequence[Array]) -> list[Image]:
        BATCH_SIZE.labels(self._name, "decode").observe(len(latents))
        with stage("diffusion", "decode"):
            return self._codec.decode_batch(latents)

    def _encode(self, images: Sequence[Image]) -> list[LatentDistribution]:
        BATCH_SIZE.labels(self._name, "encode").observe(len(images))
        with stage("diffusion", "encode_image"):
            return self._codec.encode_batch(images)
