"""Ports: the services that the orchestrator composes, seen from inside.

Each call takes a `Caller`: whose data it works on and how long it may take. Failures are `LikenessError`s
with the reason that the service gave.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.orchestrator.domain.faces import (
    AnalyzedPicture,
    BlobRef,
    Curation,
    Embedding,
    Face,
    FacedPicture,
    Feature,
    Picture,
)


@dataclass(frozen=True)
class Caller:
    """On whose behalf a call is made, and the seconds that it may take (None: the port's own limit)."""

    tenant: str
    timeout_s: float | None = None


@dataclass(frozen=True)
class AnalysisBackend:
    """What face analysis can be asked for, and the model of its comparison embeddings."""

    features: frozenset[Feature]
    comparison_model: str


class FaceAnalysis(Protocol):
    """Finds and measures faces."""

    async def backend(self, caller: Caller) -> AnalysisBackend:
        """Say what is installed."""

    async def analyze(
        self, pictures: Sequence[Picture], caller: Caller, features: frozenset[Feature] = frozenset()
    ) -> list[AnalyzedPicture]:
        """Analyse pictures, any number, with the features that are installed; one result each, in order."""

    async def curate(self, photos: Sequence[Picture], caller: Caller) -> Curation:
        """Judge a set of 1 to 64 photos of one person."""


@dataclass(frozen=True)
class TrainingRequest:
    """An identity adapter to train; ``request_id`` makes creation safe to repeat."""

    subject: str
    photos: tuple[FacedPicture, ...]
    caption: str
    seed: int
    base_model: str
    request_id: str


@dataclass(frozen=True)
class TrainingProgress:
    """State of a training job. ``adapter`` is set where it succeeded."""

    job: str
    steps_done: int
    step_count: int
    loss: float | None
    adapter: BlobRef | None = None
    base_model_digest: str = ""
    final_loss: float = 0.0


class Training(Protocol):
    """Trains identity adapters in jobs that survive both sides' restarts."""

    async def create(self, request: TrainingRequest, caller: Caller) -> str:
        """Create a job, or find the one of the same request_id; return its name."""

    def watch(self, job: str, caller: Caller) -> AsyncIterator[TrainingProgress]:
        """Follow a job until it has succeeded.

        Raises:
            TrainingFailed: The job failed, or somebody cancelled it.
        """

    async def cancel(self, job: str, caller: Caller) -> None:
        """Cancel a job; no effect on one that has ended or is unknown."""

    async def delete(self, job: str, caller: Caller) -> int:
        """Delete a job with its adapter; return how many artifacts went, 0 for an unknown job."""


@dataclass(frozen=True)
class AdapterUse:
    """A LoRA in a generation: shipped with the model (name) or stored (artifact).

    One ``of_person`` goes with the identity tokens instead of with every row; see likeness.diffusion.v1.
    """

    weight: float
    name: str = ""
    artifact: BlobRef | None = None
    of_person: bool = False


@dataclass(frozen=True)
class GenerationRequest:
    """One picture to generate. ``size_px`` None draws at the model's own size.

    ``identity_guidance_scale`` and ``late_from`` as in domain.styles.IdentityStrength.
    """

    model: str
    prompt: str
    negative_prompt: str
    size_px: int | None
    step_count: int
    guidance_scale: float
    sampler: str
    seed: int
    adapters: tuple[AdapterUse, ...]
    embeddings: tuple[Embedding, ...]
    identity_scale: float
    preview_interval_steps: int
    identity_guidance_scale: float | None = None
    late_from: float | None = None

    @property
    def shows_person(self) -> bool:
        """Whether there is a person to guide towards: by tokens, or by an adapter of the person."""
        return bool(self.embeddings) or any(use.of_person for use in self.adapters)


@dataclass(frozen=True)
class GenerationStep:
    """A denoising step is done; ``preview`` is PNG where there is one."""

    step: int
    step_count: int
    preview: bytes | None = None


@dataclass(frozen=True)
class GeneratedPicture:
    """The finished picture, PNG, with the digests of what made it.

    ``unfamiliar_words`` are words of both prompts that the model can hardly know.
    """

    data: bytes
    model_digest: str
    adapter_digests: tuple[str, ...]
    unfamiliar_words: tuple[str, ...] = ()


@dataclass(frozen=True)
class DiffusionModel:
    """An installed base model. ``identity_dimension`` is 0 where it takes no identity tokens."""

    name: str
    digest: str
    size_px: int
    is_default: bool
    identity_dimension: int
    adapters: tuple[str, ...]


class Diffusion(Protocol):
    """Generates pictures."""

    def generate(
        self, request: GenerationRequest, caller: Caller
    ) -> AsyncIterator[GenerationStep | GeneratedPicture]:
        """Generate one picture, which comes last. Closing the iterator frees its rows within a step."""

    async def models(self, caller: Caller) -> list[DiffusionModel]:
        """List the installed models."""

    async def forget(self, adapters: Sequence[BlobRef], caller: Caller) -> None:
        """Drop deleted adapters from memory now; a service out of reach does so at its own next sweep."""


class Stylization(Protocol):
    """Turns finished portraits into drawn ones."""

    async def effects(self, caller: Caller) -> list[str]:
        """Name the installed effects."""

    async def stylize(self, picture: Picture, effect: str, strength: float, caller: Caller) -> bytes:
        """Apply an effect; return PNG of the same size."""


@dataclass(frozen=True)
class ReferenceCrop:
    """An upright picture cut around a face: PNG or the original bytes, and how geometry maps into it."""

    data: bytes
    media_type: str
    left_px: float
    top_px: float
    scale: float


class PictureTools(Protocol):
    """The little that the orchestrator does with pixels. Synchronous and CPU-bound: call it in a thread."""

    def reference_crop(self, photo: Picture, face: Face, rotation_degrees: int) -> ReferenceCrop:
        """Cut a large photo around its face; a small upright one is returned as it is."""

    def enlarge(self, data: bytes, factor: int) -> bytes:
        """Return a picture enlarged by interpolation, PNG."""

    def thumbnail(self, data: bytes) -> bytes:
        """Return a JPEG of at most 64 KiB."""


class Artifacts(Protocol):
    """Blobs of a tenant, with the owners that they are kept for."""

    async def put(self, data: bytes, *, tenant: str, owner: str, media_type: str) -> BlobRef:
        """Store a blob for an owner."""

    async def adopt(self, ref: BlobRef, *, tenant: str, owner: str) -> None:
        """Keep a blob that another service stored for an owner as well."""

    async def get(self, uri: str, *, tenant: str) -> bytes:
        """Read a blob. Raises UnknownArtifact."""

    async def release(self, *, tenant: str, owner: str) -> int:
        """Give up all blobs of an owner; those that nobody else keeps are deleted. Return how many were."""
