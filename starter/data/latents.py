"""Latents of all portraits and their mirror images, computed once per autoencoder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from starter.data.manifest import Sample
from starter.data.parts import loss_weights, part_shares, weight_table
from starter.data.pixels import load_pixels, to_unit
from starter.models.vae import FoldedAutoencoder

_PART_WEIGHTS = weight_table(eyes=4.0, features=2.5, face=1.5, rest=0.7)


@dataclass(frozen=True)
class Latents:
    """Training material of the generator.

    Attributes:
        latents: float16 (N, 2, C, h, w), scaled to unit deviation; the second of each pair is mirrored.
        weights: float16 (N, 2, 1, h, w), loss weights with mean 1.
        parts: float16 (N, 2, K, h, w), share of each part (`starter.data.parts.Part`) in each cell.
    """

    latents: Tensor
    weights: Tensor
    parts: Tensor


def _fingerprint(samples: Sequence[Sample], vae_folder: Path) -> str:
    digest = hashlib.sha256((vae_folder / "diffusion_pytorch_model.safetensors").read_bytes())
    digest.update(repr([(sample.identity, sample.view) for sample in samples]).encode())
    return digest.hexdigest()


@torch.no_grad()
def encode_images(vae: FoldedAutoencoder, images: Tensor, batch: int = 32) -> Tensor:
    """Means of the latents, unscaled float32 (N, C, h, w), of uint8 images (N, 3, H, W)."""
    encoded = []
    for start in range(0, len(images), batch):
        with torch.autocast("cpu", torch.bfloat16):
            encoded.append(vae.encode(to_unit(images[start : start + batch])).float())
    return torch.cat(encoded)


def load_latents(samples: Sequence[Sample], vae_folder: Path, cache: Path) -> Latents:
    """Latents of `samples` in their order, from the file `cache` or computed and stored there."""
    fingerprint = _fingerprint(samples, vae_folder)
    if cache.exists():
        with safe_open(cache, "pt") as file:
            if file.metadata()["fingerprint"] == fingerprint:
                return Latents(*(file.get_tensor(field.name) for field in fields(Latents)))
    vae, pixels = FoldedAutoencoder.load(vae_folder), load_pixels(samples)
    pair = [encode_images(vae, images) for images in (pixels.images, pixels.images.flip(-1))]
    latents = torch.stack(pair, 1) * vae.network.config.scaling_factor
    weights = loss_weights(pixels.parts, _PART_WEIGHTS, latents.shape[-1])
    shares = part_shares(pixels.parts, latents.shape[-1])
    tensors = {
        "latents": latents.half().contiguous(),
        "weights": (_with_mirrored(weights) / weights.mean()).half().contiguous(),
        "parts": _with_mirrored(shares).half().contiguous(),
    }
    cache.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, cache, {"fingerprint": fingerprint})
    return Latents(**tensors)


def _with_mirrored(maps: Tensor) -> Tensor:
    return torch.stack([maps, maps.flip(-1)], 1)
