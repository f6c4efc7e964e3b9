"""Portraits drawn twice, with and without the marks of the skin: what restoring them should arrive at."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from starter.data.manifest import Sample, parse_record
from starter.heads.dataset import identity_of, view_of
from starter.heads.description import describe
from starter.heads.faces import FaceReader
from starter.heads.head import build_head
from starter.heads.painting import paint
from starter.heads.renderer import Renderer
from starter.heads.view import View

FIRST_VIEW = 60
"""Views from this number on are drawn for nothing else."""
MOST_YAW_DEG = 30.0
SIZE_PX = 256
_TRIES = 6


@dataclass(frozen=True)
class Pair:
    """One portrait as it is and as a generator would draw it.

    Attributes:
        sample: ground truth; its image, PNG, shows the marks, lines and pores of the skin.
        bare: PNG, the same picture without marks.
        smooth: PNG, without marks, lines and pores.
    """

    sample: Sample
    bare: Path
    smooth: Path

    @cached_property
    def truth_rgb(self) -> NDArray[np.uint8]:
        """The picture with its marks, (H, W, 3)."""
        return _read(self.sample.image)

    @cached_property
    def bare_rgb(self) -> NDArray[np.uint8]:
        """The picture without marks."""
        return _read(self.bare)

    @cached_property
    def parts(self) -> NDArray[np.uint8]:
        """(H, W): the number of `starter.heads.parts.Part` that each pixel shows."""
        return np.asarray(Image.open(self.sample.parts), np.uint8)

    @cached_property
    def smooth_rgb(self) -> NDArray[np.uint8]:
        """The picture without marks, lines and pores."""
        return _read(self.smooth)


def draw_pairs(folder: Path, seed: int, numbers: Sequence[int]) -> Iterator[Pair]:
    """Yields a pair of each character, turned by up to 30 degrees; draws what is not in *folder* yet.

    Raises: NoGraphicsError: see starter/heads.
    """
    renderer: Renderer | None = None
    try:
        for number in numbers:
            place = folder / f"{number:06d}"
            if not (place / "record.json").exists():
                renderer = renderer or Renderer(SIZE_PX, 1.5)
                _draw(place, seed, number, renderer)
            yield _load(place)
    finally:
        if renderer is not None:
            renderer.close()


def _load(place: Path) -> Pair:
    record = json.loads((place / "record.json").read_text("utf-8"))
    return Pair(parse_record(record, place), place / "bare.png", place / "smooth.png")


def _draw(place: Path, seed: int, number: int, renderer: Renderer) -> None:
    identity = identity_of(seed, number)
    for view_number in range(FIRST_VIEW, FIRST_VIEW + _TRIES):
        view = _turned(view_of(seed, number, view_number, identity), seed, number, view_number)
        head = build_head(identity, view)
        truth = renderer.draw(identity, view, head, paint(identity))
        faces = FaceReader().read(truth.rgb)
        if faces:
            break
    else:
        raise ValueError(f"dlib finds no face in {_TRIES} views of character {number}")
    place.mkdir(parents=True, exist_ok=True)
    without = replace(identity, skin=replace(identity.skin, marks=()))
    smooth = replace(without, skin=replace(without.skin, lines=0.0, pores=0.0))
    _write(place / "truth.png", truth.rgb)
    for name, other in (("bare", without), ("smooth", smooth)):
        _write(place / f"{name}.png", renderer.draw(other, view, head, paint(other)).rgb)
    _write(place / "parts.png", truth.parts)
    record = describe(identity, view, head, truth) | {
        "identity": number,
        "view": view_number,
        "file": "truth.png",
        "parts": "parts.png",
        "parts_full": "parts.png",
        "box_px": list(faces[0].box_px),
        "embedding": faces[0].embedding.tolist(),
    }
    (place / "record.json").write_text(json.dumps(record), "utf-8")


def _turned(view: View, seed: int, number: int, view_number: int) -> View:
    """The view with a yaw drawn evenly: photos are mostly frontal, and the turned ones are the hard ones."""
    yaw = np.random.default_rng([seed, number, view_number, 9]).uniform(-MOST_YAW_DEG, MOST_YAW_DEG)
    return replace(view, pose=replace(view.pose, yaw=float(yaw)))


def _write(path: Path, picture: NDArray[np.uint8]) -> None:
    Image.fromarray(picture).save(path)


def _read(path: Path) -> NDArray[np.uint8]:
    return np.asarray(Image.open(path).convert("RGB"), np.uint8)
