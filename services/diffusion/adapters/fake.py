"""A deterministic stand-in for every model port: fast, no model library, for tests, load runs and demos.

Its UNet is a fixed function of the row alone: of latents, timestep, text, identity and adapters. So it
keeps the port's promises exactly (tolerance 0), and pictures differ whenever their requests do.
"""

import hashlib
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.diffusion.domain.adapters import Adapter, AdapterInfo, AdapterMix
from services.diffusion.domain.model import Model, ModelInfo
from services.diffusion.domain.rows import IdentityCondition, RowBatch, TextCondition, UNetRow
from services.diffusion.errors import PromptTooLong, UnknownAdapter, UnknownModel, ValueOutOfRange

Array = NDArray[np.float32]
Image = NDArray[np.uint8]

_WIDTH = 8
_TOKENS = 4


class FakeUNet:
    """Predicts by hashing what a row depends on; each call takes `call_s` + `row_s` per row."""

    batch_tolerance = 0.0
    description = "fake"

    def __init__(self, *, call_s: float = 0.0, row_s: float = 0.0) -> None:
        self._call_s = call_s
        self._row_s = row_s
        self.batch_sizes: list[int] = []

    def predict(self, batch: RowBatch) -> Array:
        """Predictions float32 [B, C, h, w]."""
        self.batch_sizes.append(len(batch.rows))
        time.sleep(self._call_s + self._row_s * len(batch.rows))
        return np.stack([_predict(row) for row in batch.rows])


def _predict(row: UNetRow) -> Array:
    condition = float(row.text.context.mean()) + row.timestep / 1000
    if row.identity is not None:
        condition += row.identity.scale * float(row.identity.tokens.mean())
    for use in row.adapters:
        condition += use.weight * int(use.adapter.sha256[:4], 16) / 0xFFFF
    return np.tanh(row.latent * np.float32(0.5) + np.float32(condition))


class FakeText:
    """Words are tokens; the context is drawn from a hash of the text."""

    max_prompt_tokens = 77

    def encode(
        self, prompts: Sequence[tuple[str, str]], adapters: AdapterMix, size_px: tuple[int, int]
    ) -> list[TextCondition]:
        """One condition per prompt. Raises: PromptTooLong."""
        for field, text in prompts:
            if len(text.split()) > self.max_prompt_tokens:
                raise PromptTooLong(field=field, tokens=len(text.split()), limit=self.max_prompt_tokens)
        return [TextCondition(_drawn(text, (_TOKENS, _WIDTH))) for _, text in prompts]


class FakeIdentity:
    """Tokens repeat the embedding."""

    dimension = 128

    def encode(self, embedding: Array, scale: float) -> tuple[IdentityCondition, IdentityCondition]:
        """Conditions for prompted and unguided rows."""
        tokens = np.resize(embedding, (_TOKENS, _WIDTH)).astype(np.float32)
        return IdentityCondition(tokens, scale), IdentityCondition(np.zeros_like(tokens), scale)


class FakeCodec:
    """Nearest-neighbour pictures of the first three latent channels, 8 px a cell."""

    latent_channels = 4
    pixels_per_latent = 8

    def decode(self, latents: Array) -> Image:
        """Picture RGB uint8."""
        return np.kron(self.preview(latents), np.ones((8, 8, 1), np.uint8))

    def preview(self, latents: Array) -> Image:
        """One pixel a cell."""
        return ((np.tanh(latents[:3]) / 2 + 0.5) * 255).round().astype(np.uint8).transpose(1, 2, 0)


class FakeSampler:
    """Moves from noise to the prediction in equal steps."""

    def __init__(self, step_count: int, seed: int) -> None:
        self.timesteps = tuple(float(1000 * (step_count - index) / step_count) for index in range(step_count))
        self._random = np.random.default_rng(seed)

    def initial_noise(self, shape: tuple[int, int, int]) -> Array:
        """Gaussian noise."""
        return self._random.standard_normal(shape, dtype=np.float32)

    def scale_input(self, latent: Array, index: int) -> Array:
        """Unchanged."""
        return latent

    def step(self, prediction: Array, index: int, latent: Array) -> Array:
        """Blend towards the prediction."""
        return latent + (prediction - latent) / np.float32(len(self.timesteps) - index)

    def estimate_clean(self, scaled: Array, prediction: Array, index: int) -> Array:
        """The prediction."""
        return prediction


class FakeSamplers:
    """Knows one sampler."""

    names = ("fake",)

    def create(self, name: str, step_count: int, seed: int) -> FakeSampler:
        """A fresh run. Raises: ValueOutOfRange."""
        if name not in ("", *self.names):
            raise ValueOutOfRange(field="sampler", value=name, range="fake")
        return FakeSampler(step_count, seed)


class FakeAdapters:
    """Every artifact is an adapter; names start with "lora"."""

    def shipped(self) -> Sequence[AdapterInfo]:
        """One."""
        adapter = self.by_name("lora")
        return [AdapterInfo(adapter.name, adapter.rank, adapter.size_bytes, adapter.sha256)]

    def by_name(self, name: str) -> Adapter:
        """An adapter without layers. Raises: UnknownAdapter."""
        if not name.startswith("lora"):
            raise UnknownAdapter(adapter=name)
        return Adapter(name, hashlib.sha256(name.encode()).hexdigest(), 0, {})

    def by_artifact(self, uri: str, sha256: str, *, tenant: str) -> Adapter:
        """An adapter without layers, told apart by its address."""
        return Adapter(uri, hashlib.sha256(f"{tenant}{uri}".encode()).hexdigest(), 0, {})


class FakeModels:
    """One model, "fake", of 64 x 64 px."""

    def __init__(self, unet: FakeUNet | None = None) -> None:
        self.unet = unet or FakeUNet()
        self._model = Model(
            info=ModelInfo("fake", "0" * 64, (64, 64), "Apache-2.0"),
            unet=self.unet,
            text=FakeText(),
            codec=FakeCodec(),
            samplers=FakeSamplers(),
            adapters=FakeAdapters(),
            identity=FakeIdentity(),
        )

    def names(self) -> Sequence[str]:
        """One name."""
        return ("fake",)

    def load(self, name: str) -> Model:
        """The model. Raises: UnknownModel."""
        if name not in ("", "fake"):
            raise UnknownModel(model=name, known="fake")
        return self._model


def _drawn(text: str, shape: tuple[int, ...]) -> Array:
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
