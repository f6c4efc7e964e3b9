"""A deterministic stand-in for every model port: fast, no model library, for tests, load runs and demos.

Its UNet is a fixed function of the row alone: latents, timestep, text, identity, adapters, control hint. So
it keeps the port's promises exactly (tolerance 0), and pictures differ whenever their requests do.
"""

import hashlib
import time
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from services.diffusion.domain.adapters import Adapter, AdapterInfo, AdapterMix
from services.diffusion.domain.latents import LatentDistribution
from services.diffusion.domain.model import Model, ModelInfo
from services.diffusion.domain.rows import IdentityCondition, Prompt, RowBatch, TextCondition, UNetRow
from services.diffusion.domain.strength import kept_step_count
from services.diffusion.errors import PromptTooLong, UnknownAdapter, UnknownModel, ValueOutOfRange
from shared.emphasis import write

Array = NDArray[np.float32]
Image = NDArray[np.uint8]

_WIDTH = 8
_TOKENS = 4


class FakeUNet:
    """Predicts by hashing what a row depends on; each call takes `call_s` + `row_s` per row."""

    batch_tolerance = 0.0
    description = "fake"
    held_adapter_bytes = 0

    def __init__(self, *, call_s: float = 0.0, row_s: float = 0.0) -> None:
        self._call_s = call_s
        self._row_s = row_s
        self.batch_sizes: list[int] = []

    def forget_adapters(self, names: Collection[str]) -> None:
        """Nothing is kept."""

    def check(self, mix: AdapterMix) -> None:
        """Every mix is fine."""

    def predict(self, batch: RowBatch) -> Array:
        """Predictions float32 [B, C, h, w]."""
        self.batch_sizes.append(len(batch.rows))
        time.sleep(self._call_s + self._row_s * len(batch.rows))
        return np.stack([_predict(row) for row in batch.rows])


def _predict(row: UNetRow) -> Array:
    condition = float(row.text.context.mean()) + row.timestep / 1000
    if row.identity is not None:
        condition += row.identity.scale * float(row.identity.tokens.mean())
    if row.control is not None:
        condition += row.control.scale * float(row.control.image.mean())
    for use in row.adapters:
        condition += use.weight * int(use.adapter.sha256[:4], 16) / 0xFFFF
    return np.tanh(row.latent * np.float32(0.5) + np.float32(condition))


class FakeText:
    """Words are tokens, and all are known; the context is drawn from a hash of words and weights."""

    batch_tolerance = 0.0
    held_adapter_bytes = 0
    max_prompt_tokens = 77

    def forget_adapters(self, names: Collection[str]) -> None:
        """Nothing is kept."""

    def encode(self, prompts: Sequence[Prompt], adapters: AdapterMix) -> list[TextCondition]:
        """One condition per prompt. Raises: PromptTooLong."""
        for prompt in prompts:
            tokens = len(prompt.words.split())
            if tokens > self.max_prompt_tokens:
                raise PromptTooLong(field=prompt.field, tokens=tokens, limit=self.max_prompt_tokens)
        return [TextCondition(_drawn(_meaning(prompt), (_TOKENS, _WIDTH))) for prompt in prompts]

    def unfamiliar_words(self, prompt: Prompt) -> tuple[str, ...]:
        """None. Raises: ValueOutOfRange."""
        _ = prompt.spans
        return ()


def _meaning(prompt: Prompt) -> str:
    """The words alone where none is weighted."""
    is_weighted = any(span.weight != 1 for span in prompt.spans)
    return write(prompt.spans) if is_weighted else prompt.words


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

    def encode(self, image: Image) -> LatentDistribution:
        """What `preview` would show as the mean colour of each cell; the fourth channel is their mean."""
        height, width = image.shape[0] // 8, image.shape[1] // 8
        squares = image.astype(np.float32).reshape(height, 8, width, 8, 3).transpose(4, 0, 2, 1, 3)
        channels = np.arctanh((squares.mean(axis=(3, 4)) / 255 * 2 - 1) * np.float32(0.999))
        mean = np.concatenate([channels, channels.mean(axis=0, keepdims=True)])
        return LatentDistribution(mean, np.full_like(mean, 0.01))

    def encode_batch(self, images: Sequence[Image]) -> list[LatentDistribution]:
        """One by one."""
        return [self.encode(image) for image in images]

    def decode(self, latents: Array) -> Image:
        """Picture RGB uint8."""
        return np.kron(self.preview(latents), np.ones((8, 8, 1), np.uint8))

    def decode_batch(self, latents: Sequence[Array]) -> list[Image]:
        """One by one."""
        return [self.decode(each) for each in latents]

    def preview(self, latents: Array) -> Image:
        """One pixel a cell."""
        return ((np.tanh(latents[:3]) / 2 + 0.5) * 255).round().astype(np.uint8).transpose(1, 2, 0)


class FakeRegions:
    """The upper half of the picture."""

    description = "fake"

    def find(self, with_identity: Array, without_identity: Array) -> Array:
        """1 above, 0 below."""
        _, height, width = with_identity.shape
        mask = np.zeros((height, width), np.float32)
        mask[: height // 2] = 1
        return mask


class FakeSampler:
    """Moves from noise to the prediction in equal steps."""

    initial_sigma = 1.0

    def __init__(self, step_count: int, seed: int, strength: float = 1.0) -> None:
        self.full_step_count = step_count
        kept = kept_step_count(step_count, strength)
        self.timesteps = tuple(1000 * (kept - index) / step_count for index in range(kept))
        self._random = np.random.default_rng(seed)

    def draw_noise(self, shape: tuple[int, int, int]) -> Array:
        """Gaussian noise."""
        return self._random.standard_normal(shape, dtype=np.float32)

    def initial_noise(self, shape: tuple[int, int, int]) -> Array:
        """Gaussian noise."""
        return self.draw_noise(shape)

    def add_noise(self, latent: Array, noise: Array, index: int) -> Array:
        """A mix in equal steps."""
        share = np.float32((len(self.timesteps) - index) / self.full_step_count)
        return latent + share * (noise - latent)

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

    def create(self, name: str, step_count: int, seed: int, strength: float = 1.0) -> FakeSampler:
        """A fresh run. Raises: ValueOutOfRange."""
        if name not in ("", *self.names):
            raise ValueOutOfRange(field="sampler", value=name, range="fake")
        return FakeSampler(step_count, seed, strength)


class FakeAdapters:
    """Every artifact is an adapter; names start with "lora". Nothing is kept."""

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

    def evict(self, uris: Collection[str], *, tenant: str) -> int:
        """There is nothing to drop."""
        return 0

    def gone(self) -> list[tuple[str, str]]:
        """Nothing."""
        return []


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
            regions=FakeRegions(),
            supports_control=True,
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
