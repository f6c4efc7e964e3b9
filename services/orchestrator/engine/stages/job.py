"""What every stage knows: the portrait it works on, its identity and style, and the tools."""

import asyncio
from dataclasses import dataclass

from services.orchestrator.domain.faces import BlobRef, FacedPicture, Picture
from services.orchestrator.domain.identity import Identity, Photo
from services.orchestrator.domain.portrait import Candidate, Portrait, Stage
from services.orchestrator.domain.ports import Caller
from services.orchestrator.domain.styles import Style
from services.orchestrator.engine.face_memo import FaceMemo
from services.orchestrator.engine.journal import Journal
from services.orchestrator.engine.tools import Tools
from services.orchestrator.errors import UnknownIdentity


@dataclass(frozen=True)
class Job:
    """One portrait at work."""

    tools: Tools
    portrait: Portrait
    style: Style
    style_sha256: str
    journal: Journal
    faces: FaceMemo

    @property
    def caller(self) -> Caller:
        """On whose behalf calls are made."""
        return Caller(self.portrait.tenant, self.tools.limits.stage_timeout_s)

    async def identity(self) -> Identity:
        """Return the identity as it is now.

        Raises:
            UnknownIdentity: It was deleted.
        """
        name = self.portrait.spec.identity
        identity = await asyncio.to_thread(
            self.tools.store.find_identity, self.portrait.tenant, name.split("/")[1]
        )
        if identity is None:
            raise UnknownIdentity(identity=name)
        return identity

    async def references(self, identity: Identity) -> list[FacedPicture]:
        """Read the accepted photos, the template face first."""
        photos = [photo for photo in identity.accepted() if photo.reference and photo.face]
        return [await self._reference(photo) for photo in photos]

    async def _reference(self, photo: Photo) -> FacedPicture:
        assert photo.reference is not None and photo.face is not None
        picture = await self.read(photo.reference, photo.display_name)
        return FacedPicture(picture, (photo.face,))

    async def read(self, ref: BlobRef, name: str) -> Picture:
        """Read a stored picture."""
        data = await self.tools.artifacts.get(ref.uri, tenant=self.portrait.tenant)
        return Picture(data, name, ref)

    async def put(self, data: bytes, media_type: str = "image/png") -> BlobRef:
        """Store a blob that belongs to the portrait."""
        return await self.tools.artifacts.put(
            data, tenant=self.portrait.tenant, owner=self.portrait.owner, media_type=media_type
        )

    async def show(self, candidate: Candidate, picture: bytes, stage: Stage) -> None:
        """Tell the watchers that a candidate has come out of a stage, with its thumbnail."""
        small = await asyncio.to_thread(self.tools.pictures.thumbnail, picture)
        thumbnail = await self.put(small, "image/jpeg")
        await self.journal.candidate(candidate.model_copy(update={"thumbnail": thumbnail}), stage)
