"""What fusion needs from the outside; one contract test each under tests/contract/."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.fusion.domain.face import Face, FloatArray, Image
from services.fusion.domain.fusing import FuseOptions, Template
from services.fusion.domain.geometry import Matrix
from services.fusion.domain.marks import Mark, RecurringMark, RestoredMark
from shared.errors import LikenessError


@dataclass(frozen=True, slots=True, eq=False)
class Swapped:
    """A candidate with the template's face in it.

    Attributes:
        image: RGB uint8, the candidate's size; bitwise the candidate outside of *changed_box_px*.
        transform: (2, 3) template pixels to candidate pixels.
        changed_box_px: x0, y0, x1, y1; maximum exclusive.
        mask_share: share of the picture's pixels that the face mask covers, in [0, 1].
    """

    image: Image
    transform: Matrix
    changed_box_px: tuple[int, int, int, int]
    mask_share: float


class FaceSwapper(Protocol):
    """Puts the face of a template into a candidate."""

    def swap(self, image: Image, face: Face, template: Template, options: FuseOptions) -> Swapped:
        """Join *template* to *image* at *face*.

        Deterministic. Strength 0 returns the candidate's pixels. Neither input is written to.
        """
        ...


class MarkFinder(Protocol):
    """Finds marks on one face."""

    def find(self, image: Image, face: Face) -> list[Mark]:
        """Marks of the skin, the most confident first; an empty list where there are none."""
        ...


class MarkPainter(Protocol):
    """Paints marks onto one face."""

    def paint(
        self, image: Image, face: Face, marks: Sequence[RecurringMark]
    ) -> tuple[Image, list[RestoredMark]]:
        """A copy of *image* with *marks*, and where each went.

        A mark that would fall outside of the visible face is left out of the list. One that the picture shows
        already is listed with `already_there` and not painted again.
        """
        ...


class Enhancer(Protocol):
    """Cleans and sharpens a picture."""

    @property
    def scales(self) -> tuple[int, ...]:
        """The magnifications that `enhance` takes."""
        ...

    def enhance(self, image: Image, *, scale: int, strength: float) -> Image:
        """*image* enlarged *scale* times in each direction; *strength* in [0, 1], 0 is plain resampling."""
        ...


class PictureInspector(Protocol):
    """Looks at a whole candidate picture."""

    def appearance(self, image: Image) -> FloatArray:
        """Unit vector of the looks: pictures that look the same have a cosine near 1. May be empty."""
        ...

    def defect(self, image: Image, name: str) -> LikenessError | None:
        """Why the picture is unfit whoever it shows (blank, blown out, crushed), or None."""
        ...
