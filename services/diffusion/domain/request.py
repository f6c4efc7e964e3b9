"""What is asked for, checked against a model."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.diffusion.errors import CapabilityUnavailable, ValueOutOfRange

Array = NDArray[np.float32]
Image = NDArray[np.uint8]

DEFAULT_STEP_COUNT = 20
DEFAULT_GUIDANCE_SCALE = 3.0
_SIDE_RANGE_PX = (64, 1024)


@dataclass(frozen=True)
class AdapterChoice:
    """One adapter of a request: shipped (`name`) or stored (`uri`, with `sha256` if the caller knows it).

    One `of_person` is used by the rows that show the person alone.
    """

    name: str = ""
    uri: str = ""
    sha256: str = ""
    weight: float = 1.0
    of_person: bool = False


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


@dataclass(frozen=True)
class Guidance:
    """How far to go beyond the unguided prediction.

    Attributes:
        text_scale: Towards the prompt; 1 or below is no guidance and saves the unguided rows.
        identity_scale: From there towards the person; None takes `text_scale`, which saves a row.
        interval: Shares of the steps [first, last) that are guided; the others use the scales 1.
    """

    text_scale: float = DEFAULT_GUIDANCE_SCALE
    identity_scale: float | None = None
    interval: tuple[float, float] = (0.0, 1.0)

    def __post_init__(self) -> None:
        first, last = self.interval
        if first > last:
            raise ValueOutOfRange(
                field="guidance_interval.start_share", value=first, range=f"0..end_share, which is {last}"
            )


@dataclass(frozen=True, eq=False)
class SourceChoice:
    """A picture to start from, RGB uint8 [H, W, 3], in any size.

    Attributes:
        image: The picture.
        strength: Share of the steps that are run on it, in (0, 1]; 1 starts from noise alone, or nearly.
        mask: RGB uint8 like `image`, white where to exchange; None without one.
        feather_px: Width of the seam around the mask.
    """

    image: Image
    strength: float
    mask: Image | None = None
    feather_px: int = 0


@dataclass(frozen=True, eq=False)
class ControlChoice:
    """A picture for the model's ControlNet, RGB uint8 [H, W, 3], in any size, and its strength."""

    image: Image
    scale: float = 1.0


@dataclass(frozen=True)
class Injection:
    """When and how strongly late injection adds the person.

    Attributes:
        start_share: Share of the steps that pass before.
        strength: Factor on the identity's effect inside of the region.
        feather_px: Width of the region's soft edge.
    """

    start_share: float = 0.2
    strength: float = 1.0
    feather_px: int = 32


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
    identity_guidance_scale: float | None = None
    guidance_interval: tuple[float, float] = (0.0, 1.0)
    seed: int = 0
    sampler: str = ""
    adapters: tuple[AdapterChoice, ...] = ()
    identity: IdentityChoice | None = None
    technique: str = ""
    preview_interval_steps: int = 0
    source: SourceChoice | None = None
    control: ControlChoice | None = None
    injection: Injection | None = None
    may_start_without_adapters: bool = False

    @property
    def guidance(self) -> Guidance:
        """Scales and interval. Raises: ValueOutOfRange if the interval ends before it begins."""
        return Guidance(self.guidance_scale, self.identity_guidance_scale, self.guidance_interval)

    @property
    def shows_person(self) -> bool:
        """Whether some rows show a person whom others do not: by tokens, or by an adapter of the person."""
        return self.identity is not None or any(
            choice.of_person and choice.weight != 0 for choice in self.adapters
        )

    @property
    def strength(self) -> float:
        """Share of the steps that are run."""
        return 1.0 if self.source is None else self.source.strength

    def size_px(self, own: tuple[int, int], granularity: int) -> tuple[int, int]:
        """(width, height): as the request says, else the source picture's, else the model's *own*.

        Raises: ValueOutOfRange unless it is in steps of *granularity* px; a source must be 64..1024 px too.
        """
        for field, side in (("width_px", self.width_px), ("height_px", self.height_px)):
            if side is not None and side % granularity:
                raise ValueOutOfRange(field=field, value=side, range=f"multiples of {granularity}")
        if self.source is None:
            return self.width_px or own[0], self.height_px or own[1]
        height, width = self.source.image.shape[:2]
        size = self.width_px or width, self.height_px or height
        least, most = _SIDE_RANGE_PX
        if any(side % granularity or not least <= side <= most for side in size):
            raise ValueOutOfRange(
                field="source.image",
                value=f"{width}x{height} px",
                range=f"{least}..{most} in steps of {granularity} px (width_px and height_px would scale it)",
            )
        return size


def identity_unavailable(model: str) -> CapabilityUnavailable:
    """The error for identity conditioning on a model without an IP-Adapter."""
    return CapabilityUnavailable(
        capability=f"identity conditioning with the model {model}",
        needed="ip_adapter.safetensors (FaceID) in the model's folder",
    )


def control_unavailable(model: str, backend: str) -> CapabilityUnavailable:
    """The error for a control picture where there is no ControlNet, or a backend that cannot run one."""
    return CapabilityUnavailable(
        capability=f"a control picture with the model {model} on {backend}",
        needed="controlnet/ (diffusers ControlNetModel) in the model's folder and the torch backend",
    )
