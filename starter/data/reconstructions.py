"""Portraits from the autoencoder, with latents as clean or as spoiled as a generator leaves them.

They teach the quality net what a bad generation looks like, and the enhancer what a good one loses.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from starter.data.manifest import Sample
from starter.data.pixels import to_bytes, to_unit
from starter.data.portraits import read_rgb
from starter.models.vae import FoldedAutoencoder

PACKED = Path(__file__).parents[1] / "weights" / "vae"
CLEAN_SHARE = 0.3
_BATCH = 8


@dataclass(frozen=True)
class Reconstructions:
    """Reconstructed portraits.

    Attributes:
        positions: int64 (N,), of the originals among the samples.
        images: uint8 (N, 3, H, W).
        spoiled: float32 (N,), 0 for clean latents, 1 for as much foreign signal as own.
    """

    positions: Tensor
    images: Tensor
    spoiled: Tensor


def autoencoder_folder(runs: Path) -> Path:
    """The autoencoder of `runs`, the longest trained first, else the one of the packed weights."""
    for folder in (runs / "decoder" / "model", runs / "vae" / "model"):
        if folder.exists():
            return folder
    return PACKED


def load_reconstructions(samples: Sequence[Sample], runs: Path, cache: Path, count: int) -> Reconstructions:
    """`count` reconstructions of evenly spread samples, from `cache` or made and stored there."""
    folder = autoencoder_folder(runs)
    digest = hashlib.sha256((folder / "diffusion_pytorch_model.safetensors").read_bytes())
    digest.update(repr([(s.identity, s.view) for s in samples] + [count]).encode())
    if cache.exists():
        with safe_open(cache, "pt") as file:
            if file.metadata()["fingerprint"] == digest.hexdigest():
                return Reconstructions(
                    *(file.get_tensor(name) for name in ("positions", "images", "spoiled"))
                )
    print(f"Reconstructing {count} portraits with {folder}", flush=True)
    made = _reconstruct(samples, FoldedAutoencoder.load(folder), count)
    tensors = {"positions": made.positions, "images": made.images, "spoiled": made.spoiled}
    cache.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, cache, {"fingerprint": digest.hexdigest()})
    return made


@torch.no_grad()
def _reconstruct(samples: Sequence[Sample], vae: FoldedAutoencoder, count: int) -> Reconstructions:
    rng = np.random.default_rng(0)
    positions = np.unique(np.linspace(0, len(samples) - 1, count).astype(int))
    spoiled = np.where(rng.random(len(positions)) < CLEAN_SHARE, 0, rng.uniform(0, 1, len(positions)))
    images = []
    for start in range(0, len(positions), _BATCH):
        pictures = np.stack([read_rgb(samples[i]) for i in positions[start : start + _BATCH]])
        with torch.autocast("cpu", torch.bfloat16):
            latents = vae.encode(to_unit(torch.from_numpy(pictures).permute(0, 3, 1, 2))).float()
            strengths = torch.from_numpy(spoiled[start : start + _BATCH].astype(np.float32))
            images.append(to_bytes(vae.decode(_spoil(latents, strengths, rng)).float()))
    return Reconstructions(
        torch.from_numpy(positions),
        torch.cat(images).contiguous(),
        torch.from_numpy(spoiled.astype(np.float32)),
    )


def _spoil(latents: Tensor, strengths: Tensor, rng: np.random.Generator) -> Tensor:
    """Mix noise of the same deviation, or another portrait's latents, into (B, C, h, w) under a soft mask."""
    share = strengths.view(-1, 1, 1, 1)
    random = torch.Generator().manual_seed(int(rng.integers(2**62)))
    deviation = latents.std((0, 2, 3), keepdim=True)
    centre = latents.mean((0, 2, 3), keepdim=True)
    coarse = torch.randn(*latents.shape[:2], 4, 4, generator=random)
    fine = torch.randn(latents.shape, generator=random)
    smooth = F.interpolate(coarse, size=latents.shape[-2:], mode="bicubic", align_corners=False)
    foreign = centre + deviation * (0.6 * fine + 0.6 * smooth)
    if rng.random() < 0.5:
        foreign = latents.roll(1, 0)
    mask = torch.rand(len(latents), 1, 4, 4, generator=random)
    mask = F.interpolate(mask, size=latents.shape[-2:], mode="bilinear", align_corners=False)
    mixed = share * (0.3 + 0.7 * mask)
    return latents + mixed * (foreign - latents)
