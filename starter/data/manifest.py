"""The manifest of a rendered data set: one JSON object per line and image."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HELD_OUT_FROM = 100_000
"""Identities with this number or a larger one are for evaluation and never trained on."""


@dataclass(frozen=True)
class Sample:
    """One rendered portrait with its ground truth.

    Attributes:
        image: JPEG file, RGB, square.
        parts: PNG file of part ids at half the image's resolution (see `starter.data.parts`).
        attributes: words of `starter.data.labels.LABELS`, and whether there are freckles and makeup.
        landmarks_px: name -> (x, y) in image pixels; left is the viewer's left.
        box_px: face box of dlib's HOG detector, x0, y0, x1, y1.
        embedding: float32 (128,), dlib's face embedding, L2-normalised.
    """

    identity: int
    view: int
    image: Path
    parts: Path
    attributes: Mapping[str, Any]
    expression: str
    yaw_deg: float
    background: str
    clothes: Mapping[str, str]
    light: str | None
    landmarks_px: Mapping[str, tuple[float, float]]
    box_px: tuple[int, int, int, int]
    embedding: NDArray[np.float32]

    @property
    def is_held_out(self) -> bool:
        """True for identities that no model may be trained on."""
        return self.identity >= HELD_OUT_FROM


def parse_record(record: Mapping[str, Any], folder: Path) -> Sample:
    """Build a `Sample` from one manifest record; files are relative to `folder`."""
    embedding = np.asarray(record["embedding"], np.float32)
    x0, y0, x1, y1 = (int(v) for v in record["box_px"])
    return Sample(
        identity=int(record["identity"]),
        view=int(record["view"]),
        image=folder / record["file"],
        parts=folder / record["parts"],
        attributes=record["attributes"],
        expression=record["expression"],
        yaw_deg=float(record["yaw"]),
        background=record["background"],
        clothes=record["clothes"],
        light=record.get("light"),
        landmarks_px={name: (float(x), float(y)) for name, (x, y) in record["landmarks_px"].items()},
        box_px=(x0, y0, x1, y1),
        embedding=embedding / np.linalg.norm(embedding),
    )


def read_manifest(folder: Path) -> list[Sample]:
    """All samples of `folder`, sorted by identity and view.

    Several renderers may append at the same time, each to its own `manifest*.jsonl`; a last line
    that is still being written is left out.
    """
    samples: dict[tuple[int, int], Sample] = {}
    for path in sorted(folder.glob("manifest*.jsonl")):
        for line in path.read_text().splitlines():
            try:
                record = json.loads(line)
            except json.JSONDecodeError:
                continue
            sample = parse_record(record, folder)
            samples[sample.identity, sample.view] = sample
    if not samples:
        raise FileNotFoundError(
            f"No manifest*.jsonl with samples in {folder}; run `python -m starter render` first."
        )
    return [samples[key] for key in sorted(samples)]


def training_part(samples: Iterable[Sample]) -> list[Sample]:
    """The samples that may be trained on."""
    return [sample for sample in samples if not sample.is_held_out]


def held_out_part(samples: Iterable[Sample]) -> list[Sample]:
    """The samples of held-out identities."""
    return [sample for sample in samples if sample.is_held_out]


def by_identity(samples: Sequence[Sample]) -> dict[int, list[int]]:
    """Identity -> positions of its samples in `samples`."""
    positions: dict[int, list[int]] = {}
    for position, sample in enumerate(samples):
        positions.setdefault(sample.identity, []).append(position)
    return positions
