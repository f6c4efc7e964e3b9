"""Turns an order into a job: everything that can be refused is refused here, before the job exists."""

from __future__ import annotations

import math
import time
import uuid
from dataclasses import dataclass, replace

from services.lora_training.domain.job import TrainingJob
from services.lora_training.domain.order import PhotoOrder, StoredPhoto, TrainingOrder
from services.lora_training.domain.ports import BaseModel, ModelCatalogue
from services.lora_training.domain.recipe import Recipe
from services.lora_training.errors import AdapterIncompatible, UnknownAdapter
from shared.artifacts import ArtifactStore
from shared.errors.common import FieldInvalid
from shared.images import decode_image

_LANDMARKS_MISSING = "identity adapters need the landmarks of the face in every photo"


@dataclass(frozen=True)
class AcceptedOrder:
    """A new job with its checked photos and their encoded bytes; nothing is written yet."""

    job: TrainingJob
    photos: list[tuple[StoredPhoto, bytes]]


@dataclass(frozen=True)
class StartRule:
    """Which identity trainings start from an adapter of the base model if their order does not say.

    Attributes:
        adapter: its name.
        most_photos: orders of more photos start from no effect; 0 = all do.
    """

    adapter: str = ""
    most_photos: int = 0


class Intake:
    """Checks orders. Blocking: photos are fetched and decoded here; call it through `asyncio.to_thread`."""

    def __init__(
        self,
        models: ModelCatalogue,
        artifacts: ArtifactStore,
        defaults: dict[str, object],
        start: StartRule = StartRule(),
    ) -> None:
        """Args: defaults: hyper-parameters of this installation by field name; an order overrides them."""
        self._start = start
        self._models = models
        self._artifacts = artifacts
        self._defaults = defaults

    def accept(self, order: TrainingOrder, tenant: str) -> AcceptedOrder:
        """Check an order and make a job of it.

        Raises: UnknownModel, ModelMissing, HyperParameterOutOfRange, UnknownAdapter, AdapterIncompatible,
        FieldInvalid, UnknownArtifact, and the image errors of `decode_image`, each naming the photo.
        """
        model = self._models.find(order.base_model)
        recipe = self._with_start(order, model, order.recipe(self._defaults))
        photos = [self._photo(order, index, model, tenant) for index in range(len(order.photos))]
        job = TrainingJob(
            job_id=uuid.uuid4().hex,
            tenant=tenant,
            subject=order.subject,
            base_model=model.name,
            recipe=recipe,
            body_sha256=order.body_sha256,
            request_id=order.request_id,
            created_at=time.time(),
        )
        return AcceptedOrder(job, photos)

    def _with_start(self, order: TrainingOrder, model: BaseModel, recipe: Recipe) -> Recipe:
        """Settle the start: an adapter that the order names must fit, the rule's is taken if it does."""
        if recipe.initial_adapter:
            adapter = self._models.adapter(model, recipe.initial_adapter)
            if adapter is None:
                raise UnknownAdapter(adapter=recipe.initial_adapter)
            if (cause := adapter.misfit(recipe.rank)) is not None:
                raise AdapterIncompatible(adapter=adapter.name, cause=cause)
            return recipe
        is_ordered = "initial_adapter" in order.overrides
        if is_ordered or not order.is_identity or len(order.photos) > self._start.most_photos:
            return recipe
        adapter = self._models.adapter(model, self._start.adapter)
        if adapter is None or adapter.misfit(recipe.rank) is not None:
            return recipe
        return replace(recipe, initial_adapter=adapter.name)

    def _photo(
        self, order: TrainingOrder, index: int, model: BaseModel, tenant: str
    ) -> tuple[StoredPhoto, bytes]:
        photo = order.photos[index]
        if order.is_identity and photo.landmarks5_px is None:
            raise FieldInvalid(field=f"photos[{index}].landmarks", problem=_LANDMARKS_MISSING)
        name = photo.name or f"image {index + 1}"
        data = photo.data
        if data is None:
            data = self._artifacts.get(photo.artifact_uri, tenant=tenant)
        height, width = decode_image(data, name=name).shape[:2]
        _check_landmarks(photo, index, width, height)
        stored = StoredPhoto(
            file=f"photos/{index:03d}",
            caption=photo.caption or order.caption,
            landmarks5_px=photo.landmarks5_px,
            embedding=_usable_embedding(photo, index, model),
        )
        return stored, data


def _check_landmarks(photo: PhotoOrder, index: int, width: int, height: int) -> None:
    """Refuse points that no face in this photo can have: they would crop something else."""
    points = photo.landmarks5_px
    if points is None:
        return
    field = f"photos[{index}].landmarks"
    if not all(math.isfinite(value) for point in points for value in point):
        raise FieldInvalid(field=field, problem="a coordinate is not a finite number")
    (left_x, left_y), (right_x, right_y) = points[:2]
    if not (0 <= (left_x + right_x) / 2 < width and 0 <= (left_y + right_y) / 2 < height):
        raise FieldInvalid(field=field, problem=f"the eyes lie outside the photo of {width} x {height} px")
    if math.hypot(right_x - left_x, right_y - left_y) < 1 or left_x >= right_x:
        problem = "left_eye must be left of right_eye, as the viewer sees them"
        raise FieldInvalid(field=field, problem=problem)


def _usable_embedding(photo: PhotoOrder, index: int, model: BaseModel) -> tuple[float, ...] | None:
    """Return the embedding if the model has identity tokens, None where it has none to train with."""
    if photo.embedding is None or model.identity_dimension is None:
        return None
    field, length = f"photos[{index}].embedding", len(photo.embedding)
    if length != model.identity_dimension:
        problem = f"has {length} values; {model.name} takes {model.identity_dimension}"
        raise FieldInvalid(field=field, problem=problem)
    norm = math.sqrt(sum(value * value for value in photo.embedding))
    if not math.isfinite(norm) or norm == 0:
        raise FieldInvalid(field=field, problem="is not a direction: it is zero or not finite")
    return photo.embedding
