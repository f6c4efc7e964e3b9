"""The manifest of a rendered data set: one JSON object per line and image."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from starter.data.labels import ABSENT

HELD_OUT_FROM = 100_000
"""Identities with this number or a larger one are for evaluation and never trained on."""


@dataclass(frozen=True)
class Mark:
    """A mole, freckle or scar in one picture.

    at: its place on the neutral head, decimetres: the same in all pictures.
    is_visible: hidden by nothing.
    """

    kind: str
    px: tuple[float, float]
    radius_px: float
    is_visible: bool
    at: tuple[float, float, float]


@dataclass(frozen=True)
class Sample:
    """One rendered portrait with its ground truth.

    Attributes:
        image: JPEG file, RGB, square.
        parts: PNG file of part ids at half the image's resolution (see `starter.data.parts`).
        attributes: words of `starter.data.labels.LABELS`, and whether there are freckles and makeup.
        landmarks_px: name -> (x, y) in image pixels; left is the viewer's left.
        landmarks: float32 (106, 2), pixels of `starter.heads.truth.LANDMARK_NAMES`; empty in old data sets.
        visibility: uint8 (106,), `starter.heads.truth.Visibility`; 0 is visible.
        marks: moles, freckles and scars, numbered alike in all pictures of an identity.
        numbers: float32, the identity's vector, named by `starter.heads.numbers.number_names`.
        pitch_deg, roll_deg: pitch > 0 looks down, roll > 0 leans to the viewer's left.
        backdrop: how the background is drawn: plain, gradient, ... or the place that `background` names.
        looks: look -> picture file, the first being `image`.
        depth: 16-bit PNG, tenths of a millimetre from the camera plane, 0 outside; None if not asked for.
        parts_full: part map at the image's resolution; None if not asked for.
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
    landmarks: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    visibility: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))
    marks: tuple[Mark, ...] = ()
    numbers: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    backdrop: str = "plain"
    looks: Mapping[str, Path] = field(default_factory=dict)
    depth: Path | None = None
    parts_full: Path | None = None

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
        attributes={**ABSENT, **record["attributes"]},
        expression=record["expression"],
        yaw_deg=float(record["yaw"]),
        background=record["background"],
        clothes={"cut": "t-shirt", **record["clothes"]},
        light=record.get("light"),
        landmarks_px={name: (float(x), float(y)) for name, (x, y) in record["landmarks_px"].items()},
        box_px=(x0, y0, x1, y1),
        embedding=embedding / np.linalg.norm(embedding),
        landmarks=np.asarray(record.get("landmarks", []), np.float32).reshape(-1, 2),
        visibility=np.asarray(record.get("visibility", []), np.uint8),
        marks=tuple(_parse_mark(mark) for mark in record.get("marks", [])),
        numbers=np.asarray(record.get("numbers", []), np.float32),
        pitch_deg=float(record.get("pitch", 0)),
        roll_deg=float(record.get("roll", 0)),
        backdrop=record.get("backdrop", "plain"),
        looks={look: folder / file for look, file in record.get("looks", {}).items()},
        depth=folder / record["depth"] if "depth" in record else None,
        parts_full=folder / record["parts_full"] if "parts_full" in record else None,
    )


def _parse_mark(mark: Mapping[str, Any]) -> Mark:
    x, y, z = (float(v) for v in mark["at"])
    px, py = (float(v) for v in mark["px"])
    return Mark(mark["kind"], (px, py), float(mark["radius_px"]), mark["visibility"] == 0, (x, y, z))


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
