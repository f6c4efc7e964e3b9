"""All use cases together, as the servicer sees them."""

from dataclasses import dataclass
from typing import Any, Protocol

from services.orchestrator.domain.faces import Picture
from services.orchestrator.domain.ports import Artifacts
from services.orchestrator.engine.gallery import Gallery
from services.orchestrator.engine.identities import IdentityDesk
from services.orchestrator.engine.portraits import PortraitDesk
from services.orchestrator.engine.tools import Tools
from services.orchestrator.engine.uploads import UploadDesk
from services.orchestrator.engine.watch import Watch


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
    gallery: Gallery
    reader: PictureReader

    @property
    def artifacts(self) -> Artifacts:
        """The tenant's blobs."""
        return self.tools.artifacts

    def watch(self, tenant: str, name: str) -> Watch:
        """Begin to watch a portrait."""
        return Watch(self.tools, self.portraits, tenant, name)
