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
FAR_SHARE, FAR_NOISE, FAR_STRETCH = 0.25, 0.03, (1.0, 1.8)
"""Share of rows whose embedding is carried away from the renders' as photographs' are: farther from the mean
of all people by a factor, and with more noise, much of it in directions in which renders hardly differ."""


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
        self.centre = self.embeddings.mean(0)
        self.siblings = by_identity(samples)

    def identity(self, index: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """L2-normalised mean of 1 to 4 other pictures of the person, with noise; see `FAR_SHARE`."""
        others = [i for i in self.siblings[self.samples[index].identity] if i != index] or [index]
        count = int(rng.integers(1, min(4, len(others)) + 1))
        mean = self.embeddings[rng.choice(others, count, replace=False)].mean(0)
        mean, noise = mean / np.linalg.norm(mean), EMBEDDING_NOISE
        if rng.random() < FAR_SHARE:
            mean, noise = self.centre + rng.uniform(*FAR_STRETCH) * (mean - self.centre), FAR_NOISE
        noisy = mean + rng.normal(0, noise, EMBEDDING_DIM)
        return np.asarray(noisy / np.linalg.norm(noisy), np.float32)

    def caption(self, index: int, is_mirrored: bool, rng: np.random.Generator) -> str:
        """A caption of the picture, or of its mirror image, as somebody might type it."""
        return varied_caption(self.samples[index], is_mirrored, rng)

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        """Rows with conditions dropped at random."""
        chosen = rng.choice(len(self.samples), size)
        mirrored = rng.integers(0, 2, size)
        identity = np.stack([self.identity(int(i), rng) for i in chosen])
        captions = [self.caption(int(i), bool(m), rng) for i, m in zip(chosen, mirrored, strict=True)]
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
