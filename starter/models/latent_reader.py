"""A network that understands latents: what they show where, and whose face it is.

Its features serve as a perceptual loss of the generator (Berrada et al., "Boosting latent diffusion with
perceptual objectives", arXiv 2411.04873), its embedding as an identity loss, both without decoding a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from starter.data.parts import Part
from starter.models.identity import EMBEDDING_DIM
from starter.models.vae import LATENT_CHANNELS


class _Residual(nn.Module):
    """Two 3x3 convolutions around a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(8, width), nn.GroupNorm(8, width)
        self.first, self.second = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(F.silu(self.norm1(x)))
        return x + self.second(F.silu(self.norm2(y)))


@dataclass(frozen=True)
class Reading:
    """What a reader says of latents (B, C, h, w).

    Attributes:
        features: maps of three depths, each (B, ., ., .).
        parts: logits (B, len(Part), h, w).
        identity: L2-normalised guess of the face's embedding (B, 128), after `centre` was taken out.
    """

    features: tuple[Tensor, ...]
    parts: Tensor
    identity: Tensor


class LatentReader(nn.Module):
    """Trained on latents with a little noise, as those that a denoiser estimates have it."""

    centre: Tensor

    def __init__(self, width: int = 96, population: Tensor | None = None) -> None:
        super().__init__()
        self.stem = nn.Conv2d(LATENT_CHANNELS, width, 3, padding=1)
        self.fine = nn.Sequential(_Residual(width), _Residual(width))
        self.middle = nn.Sequential(nn.Conv2d(width, 2 * width, 3, 2, 1), _Residual(2 * width))
        self.coarse = nn.Sequential(nn.Conv2d(2 * width, 2 * width, 3, 2, 1), _Residual(2 * width))
        self.parts = nn.Conv2d(width, len(Part), 1)
        self.mix = nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(2 * width * 16, 384), nn.SiLU())
        self.identity = nn.Linear(384, EMBEDDING_DIM)
        mean = torch.zeros(EMBEDDING_DIM) if population is None else population.mean(0)
        self.register_buffer("centre", mean)

    def forward(self, latents: Tensor) -> Reading:
        """Latents at unit deviation (B, C, 16, 16) -> `Reading`."""
        fine = self.fine(self.stem(latents))
        middle = self.middle(fine)
        coarse = self.coarse(middle)
        identity = F.normalize(self.identity(self.mix(coarse)), dim=1)
        return Reading((fine, middle, coarse), self.parts(fine), identity)

    def truth(self, embeddings: Tensor) -> Tensor:
        """What `Reading.identity` should be for dlib's embeddings (B, 128)."""
        return F.normalize(embeddings - self.centre, dim=1)
