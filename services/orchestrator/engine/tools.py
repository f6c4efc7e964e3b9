"""What the use cases work with: every port, and the limits of this server."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.orchestrator.domain.fusion_port import Fusion
from services.orchestrator.domain.ports import (
    Artifacts,
    Diffusion,
    FaceAnalysis,
    PictureTools,
    Stylization,
    Training,
)
from services.orchestrator.domain.stores import Store
from services.orchestrator.domain.styles import Style
from services.orchestrator.engine.cancels import Cancels
from services.orchestrator.engine.hub import Hub


class KnownStyle(Protocol):
    """A style with the title of its group and its preview."""

    @property
    def style(self) -> Style:
        """The style."""

    @property
    def sha256(self) -> str:
        """SHA-256 of what it says, hexadecimal."""

    @property
    def group_title(self) -> str:
        """Title of its group for people; empty without a group."""

    @property
    def preview(self) -> bytes | None:
        """A preview, PNG, JPEG or WebP, if there is one."""


class Styles(Protocol):
    """The styles of this server."""

    def get(self, name: str) -> KnownStyle:
        """Return "styles/{id}". Raises UnknownStyle."""

    def all(self) -> Sequence[KnownStyle]:
        """Return all styles in the order of a gallery."""


@dataclass(frozen=True)
class Limits:
    """What one portrait may take and how many there may be."""

    stage_timeout_s: float = 3600.0
    max_active_portraits: int = 64
    max_running_portraits: int = 4
    max_upload_bytes: int = 256 * 2**20
    preview_interval_steps: int = 4
    heartbeat_s: float = 10.0
    false_accept_rate: float | None = None


@dataclass(frozen=True)
class Tools:
    """Everything that a use case needs; bootstrap fills it in, tests replace what they like."""

    store: Store
    artifacts: Artifacts
    pictures: PictureTools
    styles: Styles
    face_analysis: FaceAnalysis
    training: Training
    diffusion: Diffusion
    fusion: Fusion
    stylization: Stylization
    hub: Hub
    cancels: Cancels
    limits: Limits
