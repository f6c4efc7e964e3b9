"""A data set on disk: pictures, part maps and one manifest line per picture; interrupted runs go on.

Layout, as starter.data.manifest reads it: OUT/NNNNNN/V.jpg (the first look), OUT/NNNNNN/V.<look>.jpg
(others), OUT/NNNNNN/V.png (part numbers at half the resolution), OUT/manifest-W.jsonl of each worker W, and
OUT/rejected-W.jsonl with the views in which dlib finds no face.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TextIO

import cv2
import numpy as np

from starter.heads.arrays import Image
from starter.heads.description import describe
from starter.heads.faces import FaceReader
from starter.heads.head import build_head
from starter.heads.identity import Identity
from starter.heads.looks import Look
from starter.heads.painting import FacePaint, paint
from starter.heads.renderer import Picture, Renderer
from starter.heads.sampling import sample_identity
from starter.heads.view import View, sample_view

JPEG_QUALITY = 95
TENTHS_OF_A_MILLIMETRE = 1000  # in a decimetre: the unit of depth maps
Key = tuple[int, int]
"""Identity number and view number."""


@dataclass(frozen=True)
class RenderJob:
    """What to draw. Identity and view depend on (seed, numbers) alone, never on what else is drawn.

    identities: numbers of the identities. size_px: even. looks: the first one is the main picture.
    depth, full_parts: whether to write depth maps, and part maps at full resolution too.
    """

    out: Path
    identities: tuple[int, ...]
    views: int
    looks: tuple[Look, ...] = ("render",)
    seed: int = 0
    size_px: int = 256
    supersample: float = 1.5
    depth: bool = False
    full_parts: bool = False

    def pictures(self) -> list[Key]:
        """Every picture of the job."""
        return [(identity, view) for identity in self.identities for view in range(self.views)]


def identity_of(seed: int, number: int) -> Identity:
    """The character with this number under this seed."""
    return sample_identity(np.random.default_rng([seed, number, 0]))


@lru_cache(maxsize=2)
def _painted(seed: int, number: int) -> tuple[Identity, FacePaint]:
    """The character and its paint; views of one character follow each other, so two are enough to keep."""
    identity = identity_of(seed, number)
    return identity, paint(identity)


def view_of(seed: int, number: int, view: int, identity: Identity) -> View:
    """View number `view` of that character."""
    return sample_view(np.random.default_rng([seed, number, 1 + view]), identity)


def finished(out: Path) -> set[Key]:
    """Pictures that need not be drawn again: written ones and rejected ones."""
    keys = set()
    for path in (*out.glob("manifest*.jsonl"), *out.glob("rejected*.jsonl")):
        for record in read_records(path):
            keys.add((int(record["identity"]), int(record["view"])))
    return keys


def read_records(path: Path) -> Iterator[dict[str, Any]]:
    """Records of a manifest; a last line that a killed run left unfinished is skipped."""
    for line in path.read_text().splitlines():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            continue


def render_share(
    job: RenderJob, worker: int = 0, workers: int = 1, renderer: Renderer | None = None
) -> Iterator[Key]:
    """Draw this worker's share of the job and yield each finished picture.

    `renderer`: one of the job's size to borrow; without it the worker makes its own.
    Raises: NoGraphicsError.
    """
    job.out.mkdir(parents=True, exist_ok=True)
    done = finished(job.out)
    todo = [key for key in job.pictures() if key not in done and key[0] % workers == worker]
    if not todo:
        return
    reader, own = FaceReader(), None
    if renderer is None:
        renderer = own = Renderer(job.size_px, job.supersample)
    try:
        with (
            _append(job.out / f"manifest-{worker}.jsonl") as manifest,
            _append(job.out / f"rejected-{worker}.jsonl") as rejected,
        ):
            for key in todo:
                record = _render_one(job, key, renderer, reader)
                target = rejected if "embedding" not in record else manifest
                target.write(json.dumps(record) + "\n")
                target.flush()
                yield key
    finally:
        if own is not None:
            own.close()


def _render_one(job: RenderJob, key: Key, renderer: Renderer, reader: FaceReader) -> dict[str, Any]:
    """Draw, look at, and write one picture; its record has no embedding if dlib finds no face."""
    number, view_number = key
    identity, face_paint = _painted(job.seed, number)
    view = view_of(job.seed, number, view_number, identity)
    head = build_head(identity, view)
    pictures = renderer.draw_looks(identity, view, head, face_paint, job.looks)
    picture = pictures[job.looks[0]]
    record: dict[str, Any] = {"identity": number, "view": view_number, "seed": job.seed}
    faces = reader.read(picture.rgb)
    if not faces:
        return {**record, "reason": "dlib finds no face"}
    files = _write_files(job, key, pictures)
    return {
        **record,
        **files,
        **describe(identity, view, head, picture),
        "box_px": list(faces[0].box_px),
        "embedding": [round(float(x), 5) for x in faces[0].embedding],
    }


def _write_files(job: RenderJob, key: Key, pictures: dict[Look, Picture]) -> dict[str, Any]:
    number, view = key
    stem = f"{number:06d}/{view}"
    (job.out / stem).parent.mkdir(exist_ok=True)
    main, *others = job.looks
    _write_jpeg(job.out / f"{stem}.jpg", pictures[main].rgb)
    for look in others:
        _write_jpeg(job.out / f"{stem}.{look}.jpg", pictures[look].rgb)
    cv2.imwrite(str(job.out / f"{stem}.png"), pictures[main].parts[1::2, 1::2])
    extra = {}
    if job.depth:
        extra["depth"] = f"{stem}.depth.png"
        tenths = np.round(pictures[main].depth * TENTHS_OF_A_MILLIMETRE).astype(np.uint16)
        cv2.imwrite(str(job.out / extra["depth"]), tenths)
    if job.full_parts:
        extra["parts_full"] = f"{stem}.parts.png"
        cv2.imwrite(str(job.out / extra["parts_full"]), pictures[main].parts)
    return {
        **extra,
        "file": f"{stem}.jpg",
        "parts": f"{stem}.png",
        "looks": {main: f"{stem}.jpg", **{look: f"{stem}.{look}.jpg" for look in others}},
    }


def _write_jpeg(path: Path, rgb: Image) -> None:
    cv2.imwrite(str(path), rgb[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])


def _append(path: Path) -> TextIO:
    """Open for appending after cutting off an unfinished last line."""
    if path.exists():
        text = path.read_bytes()
        path.write_bytes(text[: text.rfind(b"\n") + 1])
    return path.open("a")
