"""Jobs as folders: <root>/<tenant>/<job id>/ with job.json, order.json, photos/ and work/."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from services.lora_training.domain.job import TrainingJob
from services.lora_training.domain.order import StoredPhoto

RECORD: Final = "job.json"
ORDER: Final = "order.json"
PHOTOS: Final = "photos"
WORK: Final = "work"


class FileJobStore:
    """`JobStore` over a local folder; one service owns it."""

    def __init__(self, root: Path) -> None:
        """Args: root: made when needed."""
        self._root = root

    def load_all(self) -> list[TrainingJob]:
        """See `JobStore.load_all`."""
        jobs = []
        for folder in sorted(self._root.glob("*/*")):
            try:
                jobs.append(TrainingJob.from_json(json.loads((folder / RECORD).read_bytes())))
            except FileNotFoundError:
                # Photos are written before the record: without one the call was never answered.
                shutil.rmtree(folder)
        return jobs

    def save(self, job: TrainingJob) -> None:
        """See `JobStore.save`."""
        _replace(self.folder(job) / RECORD, json.dumps(job.to_json(), indent=1).encode())

    def save_photos(self, job: TrainingJob, photos: Sequence[tuple[StoredPhoto, bytes]]) -> None:
        """See `JobStore.save_photos`."""
        folder = self.folder(job)
        (folder / PHOTOS).mkdir(parents=True)
        (folder / WORK).mkdir()
        for photo, data in photos:
            _replace(folder / photo.file, data)
        order = {"recipe": job.recipe.to_json(), "photos": [asdict(photo) for photo, _ in photos]}
        _replace(folder / ORDER, json.dumps(order).encode())

    def folder(self, job: TrainingJob) -> Path:
        """See `JobStore.folder`."""
        return self._root / job.tenant / job.job_id

    def adopt_checkpoints(self, job: TrainingJob, donor: TrainingJob) -> None:
        """See `JobStore.adopt_checkpoints`."""
        source = self.folder(donor) / WORK
        if source.is_dir():
            shutil.copytree(source, self.folder(job) / WORK, dirs_exist_ok=True)

    def drop_working_files(self, job: TrainingJob) -> int:
        """See `JobStore.drop_working_files`."""
        folder = self.folder(job)
        count = len(list((folder / WORK / "checkpoints").glob("[0-9]*")))
        for name in (PHOTOS, WORK):
            shutil.rmtree(folder / name, ignore_errors=True)
        (folder / ORDER).unlink(missing_ok=True)
        return count

    def delete(self, job: TrainingJob) -> int:
        """See `JobStore.delete`."""
        # The record goes first: after a kill in between, load_all clears what is left.
        (self.folder(job) / RECORD).unlink(missing_ok=True)
        count = self.drop_working_files(job)
        shutil.rmtree(self.folder(job), ignore_errors=True)
        return count


def read_order(folder: Path) -> tuple[dict[str, object], list[StoredPhoto]]:
    """Return the recipe's values and the photos of a job folder."""
    order = json.loads((folder / ORDER).read_bytes())
    photos = []
    for facts in order["photos"]:
        points, embedding = facts.pop("landmarks5_px"), facts.pop("embedding")
        photos.append(
            StoredPhoto(
                **facts,
                landmarks5_px=None if points is None else tuple((x, y) for x, y in points),
                embedding=None if embedding is None else tuple(embedding),
            )
        )
    return order["recipe"], photos


def _replace(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
