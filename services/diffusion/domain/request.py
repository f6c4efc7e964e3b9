"""What is asked for, checked against a model."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.diffusion.errors import CapabilityUnavailable, ValueOutOfRange

Array = NDArray[np.float32]

DEFAULT_STEP_COUNT = 20
DEFAULT_GUIDANCE_SCALE = 3.0


@dataclass(frozen=True)
class AdapterChoice:
    """One adapter of a request: shipped (`name`) or stored (`uri`, with `sha256` if the caller knows it)."""

    name: str = ""
    uri: str = ""
    sha256: str = ""
    weight: float = 1.0


@dataclass(frozen=True, eq=False)
class IdentityChoice:
    """Face embeddings of one person, float32 [D], at least one; `scale` is the strength of the tokens."""

    embeddings: tuple[Array, ...]
    scale: float = 1.0

    def mean_embedding(self, dimension: int) -> Array:
        """Average of the embeddings, L2-normalised.

        Raises:
            ValueOutOfRange: An embedding has another dimension than *dimension*, is not finite, or they
                cancel each other out.
        """
        for embedding in self.embeddings:
            if embedding.shape != (dimension,):
                raise ValueOutOfRange(
                    field="identity.embeddings", value=f"{embedding.size}-D", range=f"{dimension}-D"
                )
        mean = np.mean(np.stack(self.embeddings), axis=0, dtype=np.float64)
        norm = float(np.linalg.norm(mean))
        if not np.isfinite(norm) or norm < 1e-6:
            raise ValueOutOfRange(field="identity.embeddings", value=norm, range="a mean that is not zero")
        normalised: Array = np.asarray(mean / norm, dtype=np.float32)
        return normalised


@dataclass(frozen=True, eq=False)
class GenerationRequest:
    """One picture. None and "" mean the model's own choice."""

    prompt: str
    negative_prompt: str = ""
    model: str = ""
    width_px: int | None = None
    height_px: int | None = None
    step_count: int = DEFAULT_STEP_COUNT
    guidance_scale: float = DEFAULT_GUIDANCE_SCALE
    seed: int = 0
    sampler: str = ""
    adapters: tuple[AdapterChoice, ...] = ()
    identity: IdentityChoice | None = None
    technique: str = ""
    preview_interval_steps: int = 0

    def size_px(self, own: tuple[int, int], granularity: int) -> tuple[int, int]:
        """(width, height), the model's *own* where the request says nothing.

        Raises: ValueOutOfRange unless what it says are multiples of *granularity* px.
        """
        for field, side in (("width_px", self.width_px), ("height_px", self.height_px)):
            if side is not None and side % granularity:
                raise ValueOutOfRange(field=field, value=side, range=f"multiples of {granularity}")
        return self.width_px or own[0], self.height_px or own[1]


def identity_unavailable(model: str) -> CapabilityUnavailable:
    """The error for identity conditioning on a model without an IP-Adapter."""
    return CapabilityUnavailable(
        capability=f"identity conditioning with the model {model}",
        needed="ip_adapter.safetensors (FaceID) in the model's folder",
    )
