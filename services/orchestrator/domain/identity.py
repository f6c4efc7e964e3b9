"""An identity: one person or character with its reference photos."""

from datetime import datetime

from services.orchestrator.domain.base import Record
from services.orchestrator.domain.faces import Attribute, BlobRef, Embedding, Face, Refusal


class Photo(Record):
    """A reference photo with the verdict on it.

    ``original`` is the photo as it came; it is missing where the photo could not be read. ``reference`` is
    the upright picture that ``face`` refers to, cut around the face where the original is large; set for
    accepted photos only.
    """

    display_name: str
    original: BlobRef | None
    reference: BlobRef | None
    face: Face | None
    is_accepted: bool
    refusals: tuple[Refusal, ...] = ()
    warnings: tuple[Refusal, ...] = ()
    similarity_to_set: float = 0.0
    applied_rotation_degrees: int = 0


class TrainedAdapter(Record):
    """An identity adapter, the digest of the base model it was trained on, the job that made it."""

    artifact: BlobRef
    base_model_digest: str
    job: str


class Identity(Record):
    """An identity of a tenant. ``template_index`` is the position of the best template face in ``photos``."""

    id: str
    tenant: str
    display_name: str
    photos: tuple[Photo, ...]
    attributes: tuple[Attribute, ...]
    template_index: int
    create_time: datetime
    adapter: TrainedAdapter | None = None
    training_jobs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Resource name."""
        return f"identities/{self.id}"

    @property
    def owner(self) -> str:
        """Name under which the identity's blobs are linked."""
        return self.name

    def accepted(self) -> list[Photo]:
        """Return the photos that are used, the template face first."""
        template = self.photos[self.template_index] if self.template_index >= 0 else None
        rest = [photo for photo in self.photos if photo.is_accepted and photo is not template]
        return [template, *rest] if template is not None else rest

    def comparison_embeddings(self) -> list[Embedding]:
        """Return what the accepted photos are compared by, the template face first; all of one model."""
        faces = [photo.face for photo in self.accepted() if photo.face]
        fitted = [face.comparison_embedding for face in faces if face.comparison_embedding]
        return fitted or self.embeddings()

    def embeddings(self) -> list[Embedding]:
        """Return the embeddings of the accepted photos for a generator, the template face first."""
        return [photo.face.embedding for photo in self.accepted() if photo.face and photo.face.embedding]
