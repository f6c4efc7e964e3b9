"""A second identity embedder, for evaluation only: nothing that is measured with it is trained with it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from starter.models.blocks import ConvNorm, Stage

FOLD = 2
EMBEDDING = 128
CROP_PX = 112


class FaceEmbedder(nn.Module):
    """A residual net on folded pixels; the last map keeps its places, as faces are cropped alike."""

    def __init__(self, widths: tuple[int, int, int, int] = (48, 64, 128, 192)) -> None:
        super().__init__()
        first, second, third, fourth = widths
        self.trunk = nn.Sequential(
            ConvNorm(3 * FOLD**2, first),
            Stage(first, second, 2),
            Stage(second, third, 2),
            Stage(third, fourth, 2),
        )
        self.squeeze = nn.Sequential(nn.Conv2d(fourth, 48, 1, bias=False), nn.BatchNorm2d(48), nn.ReLU())
        self.dropout = nn.Dropout(0.2)
        self.last = nn.Linear(48 * (CROP_PX // (8 * FOLD)) ** 2, EMBEDDING)

    def forward(self, images: Tensor) -> Tensor:
        """RGB float32 (B, 3, 112, 112) in [0, 1] -> L2-normalised (B, 128)."""
        features = self.squeeze(self.trunk(F.pixel_unshuffle(images * 2 - 1, FOLD)))
        return F.normalize(self.last(self.dropout(features.flatten(1))), dim=1)


class CosFaceHead(nn.Module):
    """Embedder and one direction for each training identity (Wang et al., "CosFace", arXiv 1801.09414)."""

    def __init__(
        self, net: FaceEmbedder, identities: int, margin: float = 0.3, sharpness: float = 24.0
    ) -> None:
        super().__init__()
        self.net = net
        self.directions = nn.Parameter(F.normalize(torch.randn(identities, EMBEDDING), dim=1))
        self.margin, self.sharpness = margin, sharpness

    def loss(self, embeddings: Tensor, identities: Tensor, margin: float | None = None) -> Tensor:
        """Cross-entropy of the cosines of (B, 128) embeddings, the right one lowered by the margin."""
        cosines = embeddings @ F.normalize(self.directions, dim=1).T
        lowered = F.one_hot(identities, cosines.shape[1]) * (self.margin if margin is None else margin)
        return F.cross_entropy(self.sharpness * (cosines - lowered), identities)
