"""Rows for the generator: latents with captions as people type them and embeddings of other pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from starter.data.captions import varied_caption
from starter.data.latents import Latents
from starter.data.manifest import Sample, by_identity
from starter.models.identity import EMBEDDING_DIM

DROP_BOTH, DROP_TEXT, DROP_IDENTITY = 0.05, 0.12, 0.15
"""Shares of rows that are trained without a condition, for guidance on each of them."""
EMBEDDING_NOISE = 0.015


@dataclass(frozen=True)
class Batch:
    """Rows of one step: latents, weights and part shares (B, ., h, w), captions, identities (B, 128)."""

    latents: Tensor
    weights: Tensor
    parts: Tensor
    captions: list[str]
    identity: Tensor


class BatchSampler:
    """Draws rows with captions as people type them and embeddings of *other* pictures of the person."""

    def __init__(self, samples: Sequence[Sample], latents: Latents) -> None:
        self.samples = samples
        self.latents = latents
        self.embeddings = np.stack([sample.embedding for sample in samples])
        self.siblings = by_identity(samples)

    def identity(self, index: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """L2-normalised mean of 1 to 4 other pictures of the same person, with a little noise."""
        others = [i for i in self.siblings[self.samples[index].identity] if i != index] or [index]
        count = int(rng.integers(1, min(4, len(others)) + 1))
        mean = self.embeddings[rng.choice(others, count, replace=False)].mean(0)
        noisy = mean / np.linalg.norm(mean) + rng.normal(0, EMBEDDING_NOISE, EMBEDDING_DIM)
        return np.asarray(noisy / np.linalg.norm(noisy), np.float32)

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        """Rows with conditions dropped at random."""
        chosen = rng.choice(len(self.samples), size)
        mirrored = rng.integers(0, 2, size)
        identity = np.stack([self.identity(int(i), rng) for i in chosen])
        captions = [
            varied_caption(self.samples[i], bool(m), rng) for i, m in zip(chosen, mirrored, strict=True)
        ]
        for row, dice in enumerate(rng.random(size)):
            if dice < DROP_BOTH + DROP_TEXT:
                captions[row] = ""
            if dice < DROP_BOTH or dice > 1 - DROP_IDENTITY:
                identity[row] = 0
        return Batch(
            self.latents.latents[chosen, mirrored].float(),
            self.latents.weights[chosen, mirrored].float(),
            self.latents.parts[chosen, mirrored].float(),
            captions,
            torch.from_numpy(identity),
        )
