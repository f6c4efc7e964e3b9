"""A model as the engine sees it: what it can do and the ports that do it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from services.diffusion.domain.ports import (
    AdapterStore,
    IdentityEncoder,
    LatentCodec,
    RegionFinder,
    SamplerFactory,
    TextEncoder,
    UNetBackend,
)


@dataclass(frozen=True)
class ModelInfo:
    """Facts for listings and results. `size_px` is (width, height) as trained."""

    name: str
    sha256: str
    size_px: tuple[int, int]
    licence: str


@dataclass(frozen=True, eq=False)
class Model:
    """A loaded model.

    `identity` is None where the folder has no IP-Adapter; `supports_control` is true where it has a
    ControlNet and the backend can run it.
    """

    info: ModelInfo
    unet: UNetBackend
    text: TextEncoder
    codec: LatentCodec
    samplers: SamplerFactory
    adapters: AdapterStore
    identity: IdentityEncoder | None
    regions: RegionFinder
    supports_control: bool = False


@runtime_checkable
class Closing(Protocol):
    """What a backend or a store may be besides: something that holds connections or memory of others."""

    def close(self) -> None:
        """Release them. Idempotent."""


class ModelStore(Protocol):
    """Installed models; the first name is the default. Blocking; each model is loaded once."""

    def names(self) -> Sequence[str]:
        """Names of the installed models, the default first."""

    def load(self, name: str) -> Model:
        """The model *name*, or the default for "".

        Raises: UnknownModel; ModelMissing or CapabilityUnavailable for a folder that cannot be used.
        """
