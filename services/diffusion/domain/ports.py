"""What the engine needs from the outside; adapters/ implements it."""

from collections.abc import Collection, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.diffusion.domain.adapters import Adapter, AdapterInfo, AdapterMix
from services.diffusion.domain.latents import LatentDistribution
from services.diffusion.domain.rows import IdentityCondition, Prompt, RowBatch, TextCondition

Array = NDArray[np.float32]
Image = NDArray[np.uint8]


class AdapterHolder(Protocol):
    """What keeps adapters in a form of its own between calls, such as packed matrices. Thread-safe."""

    @property
    def held_adapter_bytes(self) -> int:
        """Bytes of those forms in memory; 0 where there are none."""

    def forget_adapters(self, names: Collection[str]) -> None:
        """Drop the forms that adapters of these names took part in; they are made again where needed."""


class UNetBackend(AdapterHolder, Protocol):
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

    def check(self, mix: AdapterMix) -> None:
        """Refuse a mix that rows cannot carry here. Thread-safe.

        Raises: AdapterIncompatible, for example where its ranks add up to too much.
        """

    def predict(self, batch: RowBatch) -> Array:
        """Predictions, float32 [B, C, h, w], in the order of the rows. Blocking; called from one thread.

        Raises: ValueError if an adapter names a layer that the model lacks.
        """


class TextEncoder(AdapterHolder, Protocol):
    """Turns prompts into conditions. Blocking; called from one thread.

    A prompt's condition MUST NOT depend on what is encoded with it, to `batch_tolerance`.
    """

    @property
    def batch_tolerance(self) -> float:
        """Largest absolute difference of a condition encoded alone and in company; 0 = same bits."""

    @property
    def max_prompt_tokens(self) -> int:
        """Tokens that a prompt may have, start and end markers not counted."""

    def encode(self, prompts: Sequence[Prompt], adapters: AdapterMix) -> list[TextCondition]:
        """One condition per prompt, all encoded with *adapters*, in one call.

        Weighted words count; a prompt without any MUST come out as if weights were unknown, bit for bit.

        Raises: PromptTooLong naming the field; a prompt is never cut, and the syntax of weights costs no
        tokens. ValueOutOfRange for a weight out of range.
        """

    def unfamiliar_words(self, prompt: Prompt) -> tuple[str, ...]:
        """Words that the model can hardly know, as its tokenizer has only pieces of them.

        Each once, in order. They are read, but nobody taught the model what they mean.

        Raises: ValueOutOfRange.
        """


class IdentityEncoder(Protocol):
    """Turns a face embedding into identity tokens."""

    @property
    def dimension(self) -> int:
        """Components that an embedding must have."""

    def encode(self, embedding: Array, scale: float) -> tuple[IdentityCondition, IdentityCondition]:
        """Conditions for prompted rows and for unguided rows; *embedding* is float32, L2-normalised."""


class LatentCodec(Protocol):
    """Latents to pictures and back. Blocking; a method is called from one thread, not all from the same.

    A batch is a sequence of one shape; each result MUST be what it would be alone, to one grey level.
    """

    @property
    def latent_channels(self) -> int:
        """Channels of a latent."""

    @property
    def pixels_per_latent(self) -> int:
        """Side in pixels of one latent cell."""

    def encode(self, image: Image) -> LatentDistribution:
        """What RGB uint8 [H, W, 3] is in latents; H and W MUST be multiples of `pixels_per_latent`.

        No randomness here: who needs a sample draws it from the distribution.
        """

    def encode_batch(self, images: Sequence[Image]) -> list[LatentDistribution]:
        """`encode` for images of one size, in one call."""

    def decode(self, latents: Array) -> Image:
        """Picture RGB uint8 [H, W, 3] of latents [C, H / f, W / f]."""

    def decode_batch(self, latents: Sequence[Array]) -> list[Image]:
        """`decode` for latents of one shape, in one call."""

    def preview(self, latents: Array) -> Image:
        """Small, cheap picture RGB uint8 of the same view."""


class Sampler(Protocol):
    """One run of a noise schedule for one picture, with its own random generator. Not shared, not reused."""

    @property
    def timesteps(self) -> tuple[float, ...]:
        """Timestep of each step, in order."""

    @property
    def full_step_count(self) -> int:
        """Steps of a run of full strength; `timesteps` has as many or fewer."""

    @property
    def initial_sigma(self) -> float:
        """Standard deviation of the noise that a run of full strength starts from."""

    def draw_noise(self, shape: tuple[int, int, int]) -> Array:
        """Gaussian noise of variance 1, drawn on the CPU from this run's own generator."""

    def initial_noise(self, shape: tuple[int, int, int]) -> Array:
        """Starting latents: `draw_noise` times `initial_sigma`."""

    def add_noise(self, latent: Array, noise: Array, index: int) -> Array:
        """Clean latents *latent* as they are before step *index*, with *noise* of variance 1.

        At an index past the last step there is no noise left to add: *latent* as it is.
        """

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

    def create(self, name: str, step_count: int, seed: int, strength: float = 1.0) -> Sampler:
        """A fresh run. *name* "" is the model's own.

        Below a *strength* of 1 the run has only the last *strength* * *step_count* steps, as diffusers'
        image-to-image pipelines.

        Raises: ValueOutOfRange for an unknown name or a strength that leaves no step.
        """


class RegionFinder(Protocol):
    """Finds where the person is in a picture that is not finished. Blocking; called from one thread."""

    @property
    def description(self) -> str:
        """How regions are found: "parser" or "difference"."""

    def find(self, with_identity: Array, without_identity: Array) -> Array:
        """Mask float32 [h, w] in [0, 1], 1 = face or hair, not softened.

        *with_identity* and *without_identity* are latents [C, h, w] of the finished picture as the same
        step estimates it with and without the person's identity.
        """


class AdapterStore(Protocol):
    """Loads adapters of one model. Thread-safe; concurrent loads of one adapter read it once."""

    def evict(self, uris: Collection[str], *, tenant: str) -> int:
        """Drop these adapters of *tenant* with all forms of them; how many were in memory.

        Who is loading one at this moment gets UnknownAdapter. An artifact that still exists is read again at
        its next use.
        """

    def gone(self) -> list[tuple[str, str]]:
        """(tenant, address) of each adapter in memory whose artifact is not in the store any more."""

    def shipped(self) -> Sequence[AdapterInfo]:
        """Usable adapters that come with the model, by name."""

    def by_name(self, name: str) -> Adapter:
        """A shipped adapter. Raises: UnknownAdapter, AdapterIncompatible."""

    def by_artifact(self, uri: str, sha256: str, *, tenant: str) -> Adapter:
        """An adapter from the artifact store; *sha256* "" skips that check, the address is checked anyway.

        Raises: UnknownAdapter, AdapterIncompatible.
        """
