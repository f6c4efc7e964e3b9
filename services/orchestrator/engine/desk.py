"""All use cases together, as the servicer sees them."""

from dataclasses import dataclass
from typing import Any, Protocol

from services.orchestrator.domain.faces import Picture
from services.orchestrator.domain.ports import Artifacts
from services.orchestrator.engine.identities import IdentityDesk
from services.orchestrator.engine.portraits import PortraitDesk
from services.orchestrator.engine.tools import KnownStyle, Tools
from services.orchestrator.engine.uploads import UploadDesk
from services.orchestrator.engine.watch import Watch


class StyleList(Protocol):
    """The styles of this server."""

    def get(self, name: str) -> KnownStyle:
        """Return "styles/{id}". Raises UnknownStyle."""

    def all(self) -> list[Any]:
        """Return all styles by name."""


class PictureReader(Protocol):
    """Reads the pictures of a request."""

    async def pictures(self, images: Any, tenant: str) -> list[Picture]:
        """Return the bytes of pictures, inline or stored. Raises UnknownArtifact."""


@dataclass(frozen=True)
class Desk:
    """The use cases."""

    tools: Tools
    identities: IdentityDesk
    uploads: UploadDesk
    portraits: PortraitDesk
    styles: StyleList
    reader: PictureReader

    @property
    def artifacts(self) -> Artifacts:
        """The tenant's blobs."""
        return self.tools.artifacts

    def watch(self, tenant: str, name: str) -> Watch:
        """Begin to watch a portrait."""
        return Watch(self.tools, self.portraits, tenant, name)
