"""Latents to pictures and back: the VAE, and a fitted linear map for previews."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from services.diffusion.domain.latents import LatentDistribution
from shared.sdmodels.vae import FoldedVae

Array = NDArray[np.float32]
Image = NDArray[np.uint8]
_T = TypeVar("_T")

# Few cells: the attention of a VAE grows with the fourth power of the side.
_FIT_SIDE_CELLS = 16
_FIT_COUNT = 8
_FIT_RIDGE = 0.1


class VaeCodec:
    """A FoldedVae for pictures.

    On a CPU each picture goes through by itself, in channels-last: whether a batch gives the bits of its
    pictures alone depends on the processor (so it was on an Intel Xeon, on an AMD EPYC it was not), and eight
    of the starter pack's in one call take 0.90 of the time of eight calls. Other devices get
    whole batches, which has not been run on one.
    """

    def __init__(self, vae: FoldedVae) -> None:
        self._vae = vae
        vae.vae.to(memory_format=torch.channels_last)
        self._takes_batches = next(vae.vae.parameters()).device.type != "cpu"
        self._preview = LinearPreview.fit(vae)

    @property
    def latent_channels(self) -> int:
        """Channels of a latent."""
        return self._vae.latent_channels

    @property
    def pixels_per_latent(self) -> int:
        """Side in pixels of one latent cell."""
        return self._vae.pixels_per_latent

    def encode(self, image: Image) -> LatentDistribution:
        """The autoencoder's posterior for RGB uint8 [H, W, 3], pixels scaled as diffusers scales them."""
        return self.encode_batch([image])[0]

    @torch.inference_mode()
    def encode_batch(self, images: Sequence[Image]) -> list[LatentDistribution]:
        """`encode` for images of one size."""
        return [each for group in self._groups(images) for each in self._encode(group)]

    def decode(self, latents: Array) -> Image:
        """Picture RGB uint8 [H, W, 3]; values are rounded as diffusers rounds them."""
        return self.decode_batch([latents])[0]

    @torch.inference_mode()
    def decode_batch(self, latents: Sequence[Array]) -> list[Image]:
        """`decode` for latents of one shape."""
        return [each for group in self._groups(latents) for each in self._decode(group)]

    def preview(self, latents: Array) -> Image:
        """Small picture; see LinearPreview."""
        return self._preview.render(latents)

    def _groups(self, given: Sequence[_T]) -> list[Sequence[_T]]:
        """What goes through in one call."""
        return [given] if self._takes_batches else [[each] for each in given]

    def _encode(self, images: Sequence[Image]) -> list[LatentDistribution]:
        pixels = torch.from_numpy(np.stack(images).astype(np.float32) / 255.0).permute(0, 3, 1, 2)
        given = (2.0 * pixels - 1.0).contiguous(memory_format=torch.channels_last)
        parts = [part.float().contiguous().numpy() for part in self._vae.posterior(given)]
        # Copies: a view would keep the whole batch in memory.
        return [LatentDistribution(mean.copy(), spread.copy()) for mean, spread in zip(*parts, strict=True)]

    def _decode(self, latents: Sequence[Array]) -> list[Image]:
        given = torch.from_numpy(np.stack(latents)).contiguous(memory_format=torch.channels_last)
        images = self._vae.decode(given).float()
        scaled = (images / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).contiguous().numpy()
        return [(image * 255).round().astype(np.uint8) for image in scaled]


class LinearPreview:
    """Maps each latent cell, with its neighbours, linearly to a square of pixels.

    The map is the ridge-regression fit of the decoder on random latents of several scales, so it needs no
    data; with the starter pack a face shows its features, 100 times faster than by decoding.
    """

    def __init__(self, weights: Array, cell_px: int) -> None:
        self._weights = weights
        self._cell_px = cell_px

    @classmethod
    @torch.inference_mode()
    def fit(cls, vae: FoldedVae) -> "LinearPreview":
        """Fit on a few decoded random latents; deterministic."""
        cell_px = min(4, vae.pixels_per_latent)
        latents = _random_latents(_FIT_COUNT, vae.latent_channels, _FIT_SIDE_CELLS)
        pictures = torch.cat([vae.decode(latent[None]).float().clamp(-1, 1) for latent in latents])
        small = torch.nn.functional.avg_pool2d(pictures, vae.pixels_per_latent // cell_px)
        squares = torch.nn.functional.pixel_unshuffle(small, cell_px)
        targets = squares.permute(0, 2, 3, 1).flatten(0, 2).numpy()
        features = np.concatenate([_features(latent) for latent in latents.numpy()])
        ridge = _FIT_RIDGE * len(features) * np.eye(features.shape[1], dtype=np.float32)
        weights = np.linalg.solve(features.T @ features + ridge, features.T @ targets)
        return cls(weights.astype(np.float32), cell_px)

    def render(self, latents: Array) -> Image:
        """RGB uint8 [h * cell, w * cell, 3] of latents [C, h, w]."""
        _, height, width = latents.shape
        cell = self._cell_px
        squares = (_features(latents) @ self._weights).reshape(height, width, 3, cell, cell)
        image = squares.transpose(0, 3, 1, 4, 2).reshape(height * cell, width * cell, 3)
        return ((image / 2 + 0.5).clip(0, 1) * 255).round().astype(np.uint8)


def _features(latents: Array) -> Array:
    """Each cell with its eight neighbours and a constant: float32 [h * w, 9 * C + 1]."""
    _, height, width = latents.shape
    padded = np.pad(latents, ((0, 0), (1, 1), (1, 1)), mode="edge")
    shifts = [padded[:, y : y + height, x : x + width] for y in range(3) for x in range(3)]
    stacked = np.concatenate(shifts).reshape(-1, height * width).T
    return np.concatenate([stacked, np.ones((height * width, 1), np.float32)], axis=1)


def _random_latents(count: int, channels: int, side: int) -> torch.Tensor:
    """Sums of noise of four scales, of unit variance in all: [count, channels, side, side]."""
    generator = torch.Generator().manual_seed(0)
    latents = torch.zeros(count, channels, side, side)
    for cells in (2, 4, 8, 16):
        noise = torch.randn(count, channels, cells, cells, generator=generator) / 2
        latents += torch.nn.functional.interpolate(noise, (side, side), mode="bicubic")
    return latents
