"""What the engine needs from the outside; adapters implement it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from services.lora_training.domain.initial import ModelAdapter
from services.lora_training.domain.job import JobFailure, TrainingJob
from services.lora_training.domain.order import StoredPhoto
from services.lora_training.domain.progress import StepReport


class JobStore(Protocol):
    """Jobs and their files on a durable medium. Synchronous: call it through `asyncio.to_thread`."""

    def load_all(self) -> list[TrainingJob]:
        """Return every job that was completely saved; leftovers of interrupted writes are removed."""

    def save(self, job: TrainingJob) -> None:
        """Write the job's record; after a kill at any moment the old or the new one is there, whole."""

    def save_photos(self, job: TrainingJob, photos: Sequence[tuple[StoredPhoto, bytes]]) -> None:
        """Write the photos and their facts; called before the first `save` of a job."""

    def folder(self, job: TrainingJob) -> Path:
        """Return the job's folder, where a worker finds its order and leaves its files."""

    def adopt_checkpoints(self, job: TrainingJob, donor: TrainingJob) -> None:
        """Copy the donor's checkpoints and cached latents, so that `job` goes on where it ended."""

    def drop_working_files(self, job: TrainingJob) -> int:
        """Remove photos, cached latents and checkpoints, keep the record. Returns: checkpoints removed."""

    def delete(self, job: TrainingJob) -> int:
        """Remove everything of the job. Returns: checkpoints removed."""


@dataclass(frozen=True)
class WorkerFinished:
    """A worker is done.

    Attributes:
        adapter_file: the safetensors file.
        base_model_digest: digest of the model it belongs to.
        final_loss: mean loss over the last tenth of the steps.
    """

    adapter_file: Path
    base_model_digest: str
    final_loss: float


WorkerEvent = StepReport | WorkerFinished | JobFailure


class Worker(Protocol):
    """One running training in a process of its own."""

    def events(self) -> AsyncIterator[WorkerEvent]:
        """Yield steps, then exactly one WorkerFinished or JobFailure, whatever happens to the process."""

    async def kill(self) -> None:
        """End the process now and wait until it is gone; checkpoints stay."""


class WorkerLauncher(Protocol):
    """Starts workers."""

    async def launch(self, job: TrainingJob, folder: Path, model_dir: Path) -> Worker:
        """Start a process that trains the job in `folder`, from its newest checkpoint when there is one."""


@dataclass(frozen=True)
class BaseModel:
    """An installed model.

    Attributes:
        name: how requests call it.
        folder: Stable Diffusion folder.
        identity_dimension: length of embeddings for its identity tokens, None where it has none.
    """

    name: str
    folder: Path
    identity_dimension: int | None


class ModelCatalogue(Protocol):
    """The installed base models."""

    def find(self, name: str) -> BaseModel:
        """Return a model; "" is the default one. Raises: UnknownModel, ModelMissing."""

    def adapter(self, model: BaseModel, name: str) -> ModelAdapter | None:
        """Return an adapter that the model ships, None where it has none of that name."""
