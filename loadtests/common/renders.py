"""Characters that nobody trained on, drawn on the spot or taken from a folder."""

from collections.abc import Sequence
from pathlib import Path

from loadtests.common.progress import Progress
from loadtests.common.strangers import SEED
from starter.data.manifest import HELD_OUT_FROM, Sample, held_out_part, read_manifest
from starter.heads.dataset import RenderJob, finished
from starter.heads.workers import render_all

SIZE_PX = 256
Photos = dict[int, list[Sample]]
"""Photos by number of the character, in order of their views."""


def drawn(folder: Path, numbers: Sequence[int], views: int, workers: int = 1) -> Photos:
    """Returns each character's photos; draws what is not in *folder* yet.

    Raises: NoGraphicsError, WorkerFailedError: see starter/heads.
    """
    job = RenderJob(folder, tuple(numbers), views, seed=SEED, size_px=SIZE_PX, full_parts=True)
    wanted = set(job.pictures())
    folder.mkdir(parents=True, exist_ok=True)
    progress = Progress("drawing photos", len(wanted), len(finished(folder) & wanted), every=views)
    for _ in render_all(job, workers):
        progress.advance()
    return by_number(read_manifest(folder), numbers, views)


def taken(folder: Path, count: int | None, views: int) -> Photos:
    """Returns the photos of the first *count* held-out characters of a folder of renders; None: of all.

    Raises: FileNotFoundError without a manifest. ValueError where there are too few characters.
    """
    samples = held_out_part(read_manifest(folder))
    numbers = sorted({sample.identity for sample in samples})
    if count is not None and len(numbers) < count:
        raise ValueError(
            f"{folder} has {len(numbers)} characters from number {HELD_OUT_FROM} on; --identities asks for "
            f"{count}: ask for fewer, or leave out --data to have them drawn"
        )
    return by_number(samples, numbers[:count], views)


def by_number(samples: Sequence[Sample], numbers: Sequence[int], views: int) -> Photos:
    """Returns the samples of these characters, of each the first *views*."""
    photos: Photos = {number: [] for number in numbers}
    for sample in samples:
        if sample.identity in photos and sample.view < views:
            photos[sample.identity].append(sample)
    return photos
