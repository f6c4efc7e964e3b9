"""What the engine needs from the outside; adapters/ implements it."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.diffusion.domain.adapters import Adapter, AdapterInfo, AdapterMix
from services.diffusion.domain.rows import IdentityCondition, RowBatch, TextCondition

Array = NDArray[np.float32]
Image = NDArray[np.uint8]


class UNetBackend(Protocol):
    """Evaluates the denoiser.

    A row's prediction MUST depend on that row alone, to the backend's stated tolerance, whatever shares its
    batch; the same batch MUST give the same bits each time; base weights MUST NOT change.
    """

    @property
    def description(self) -> str:
        """Runtime and precision, such as "torch float32"."""

    @property
    def batch_tolerance(self) -> float:
        """Largest absolute difference between a row's prediction alone and in company; 0 = same bits."""

    def predict(self, batch: RowBatch) -> Array:
        """Predictions, float32 [B, C, h, w], in the order of the rows. Blocking; called from one thread.

        Raises: ValueError if an adapter names a layer that the model lacks.
        """


class TextEncoder(Protocol):
    """Turns prompts into conditions. Blocking; called from one thread."""

    @property
    def max_prompt_tokens(self) -> int:
        """Tokens that a prompt may have, start and end markers not counted."""

    def encode(
        self, prompts: Sequence[tuple[str, str]], adapters: AdapterMix, size_px: tuple[int, int]
    ) -> list[TextCondition]:
        """Encode (field name, text) pairs for a picture of (width, height) pixels.

        Raises: PromptTooLong naming the field; a prompt is never cut.
        """


class IdentityEncoder(Protocol):
    """Turns a face embedding into identity tokens."""

    @property
    def dimension(self) -> int:
        """Components that an embedding must have."""

    def encode(self, embedding: Array, scale: float) -> tuple[IdentityCondition, IdentityCondition]:
        """Conditions for prompted rows and for unguided rows; *embedding* is float32, L2-normalised."""


class LatentCodec(Protocol):
    """Latents to pictures. Blocking; `decode` is called from one thread, `preview` from another."""

    @property
    def latent_channels(self) -> int:
        """Channels of a latent."""

    @property
    def pixels_per_latent(self) -> int:
        """Side in pixels of one latent cell."""

    def decode(self, latents: Array) -> Image:
        """Picture RGB uint8 [H, W, 3] of latents [C, H / f, W / f]."""

    def preview(self, latents: Array) -> Image:
        """Small, cheap picture RGB uint8 of the same view."""


class Sampler(Protocol):
    """One run of a noise schedule for one picture, with its own random generator. Not shared, not reused."""

    @property
    def timesteps(self) -> tuple[float, ...]:
        """Timestep of each step, in order."""

    def initial_noise(self, shape: tuple[int, int, int]) -> Array:
        """Starting latents, drawn on the CPU from this run's own generator."""

    def scale_input(self, latent: Array, index: int) -> Array:
        """Latents as the UNet takes them at step *index*."""

    def step(self, prediction: Array, index: int, latent: Array) -> Array:
        """Latents after step *index*. MUST be called once per step, in order."""

    def estimate_clean(self, scaled: Array, prediction: Array, index: int) -> Array:
        """Latents of the finished picture as this step's prediction implies them."""


class SamplerFactory(Protocol):
    """Makes samplers by name for one model's noise schedule."""

    @property
    def names(self) -> tuple[str, ...]:
        """Short names; full diffusers class names work too."""

    def create(self, name: str, step_count: int, seed: int) -> Sampler:
        """A fresh run. *name* "" is the model's own. Raises: ValueOutOfRange for an unknown name."""


class AdapterStore(Protocol):
    """Loads adapters of one model. Thread-safe; concurrent loads of one adapter read it once."""

    def shipped(self) -> Sequence[AdapterInfo]:
        """Usable adapters that come with the model, by name."""

    def by_name(self, name: str) -> Adapter:
        """A shipped adapter. Raises: UnknownAdapter, AdapterIncompatible."""

    def by_artifact(self, uri: str, sha256: str, *, tenant: str) -> Adapter:
        """An adapter from the artifact store; *sha256* "" skips that check, the address is checked anyway.

        Raises: UnknownAdapter, AdapterIncompatible.
        """
