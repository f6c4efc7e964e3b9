"""What fusion needs from the outside; one contract test each under tests/contract/."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.fusion.domain.checks import Check
from services.fusion.domain.exemplars import Stroke
from services.fusion.domain.face import Face, FloatArray, Image
from services.fusion.domain.fusing import FuseOptions, Template, WarpMode
from services.fusion.domain.geometry import Matrix
from services.fusion.domain.structure import FoundMark
from shared.cancellation import CancellationToken
from shared.errors import LikenessError


@dataclass(frozen=True, slots=True, eq=False)
class Swapped:
    """A candidate with the template's face in it.

    Attributes:
        image: RGB uint8, the candidate's size; bitwise the candidate outside of *changed_box_px*.
        transform: (2, 3) template pixels to candidate pixels.
        changed_box_px: x0, y0, x1, y1; maximum exclusive.
        mask_share: share of the picture's pixels that take something of the template, in [0, 1].
        warp: what was done: without dense landmarks WarpMode.POSED becomes WarpMode.LANDMARKS.
    """

    image: Image
    transform: Matrix
    changed_box_px: tuple[int, int, int, int]
    mask_share: float
    warp: WarpMode


class FaceSwapper(Protocol):
    """Puts the face of a template into a candidate."""

    @property
    def name(self) -> str:
        """What it is called: opencv, fake, or the name of the net's file."""
        ...

    def swap(self, image: Image, face: Face, template: Template, options: FuseOptions) -> Swapped:
        """Join *template* to *image* at *face*.

        Deterministic. Strength 0 returns the candidate's pixels. Neither input is written to.

        Raises:
            FieldInvalid: the backend needs something of the template that it lacks, such as an embedding.
        """
        ...


class MarkFinder(Protocol):
    """Finds marks on one face."""

    def find(self, image: Image, face: Face) -> list[FoundMark]:
        """Marks of the skin, the most confident first; an empty list where there are none."""
        ...


class MarkPainter(Protocol):
    """Paints marks onto one face."""

    def paint(
        self, image: Image, strokes: Sequence[Stroke], photo: Callable[[int], Image]
    ) -> tuple[Image, list[bool]]:
        """A copy of *image* with the marks, and which of them are on it, in the order of *strokes*.

        A mark is left out where no photo sets it off from the skin around it. *photo* gives the photo of a
        number; only those that are needed are asked for. Deterministic; nothing given is written to.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Textured:
    """A candidate with the texture of a photo.

    Attributes:
        image: RGB uint8, the candidate's size.
        added_contrast: root mean square of what was added, in units of CIE lightness, over the changed skin.
    """

    image: Image
    added_contrast: float


class SkinTexture(Protocol):
    """Brings wrinkles and pores of a photo back onto a face."""

    def add(self, image: Image, face: Face, templates: Sequence[Template], *, strength: float) -> Textured:
        """A copy of *image* with the texture of *templates*, the best first; all have dense landmarks.

        Only skin that both show is changed: no eyes, brows, lips, hair, and no marks of a template. Left out
        are grain, what one alone of several templates shows, and what *image* shows already. *strength* in
        [0, 1] scales the change; 0 gives the pixels of *image*. Deterministic; nothing given is written to.
        """
        ...


class Enhancer(Protocol):
    """Cleans and sharpens a picture, or enlarges it; one instance does one factor."""

    @property
    def name(self) -> str:
        """What it is called: starter, classical, fake, or the name of a file."""
        ...

    @property
    def scale(self) -> int:
        """How much larger the result is in each direction; 1 keeps the size."""
        ...

    def enhance(self, image: Image, *, strength: float, token: CancellationToken) -> Image:
        """*image* (H, W, 3), any H and W, as (scale H, scale W, 3) RGB uint8; *image* is not written to.

        *strength* in [0, 1] mixes the result with plain resampling, which is all that 0 leaves.
        Deterministic. Memory beyond the result is bounded: large pictures are worked on in pieces.

        Raises:
            Cancelled: *token* was cancelled; it is looked at before each piece.
        """
        ...


class PictureInspector(Protocol):
    """Looks at a whole candidate picture."""

    def appearance(self, image: Image) -> FloatArray:
        """Unit vector of the looks: pictures that look the same have a cosine near 1. May be empty."""
        ...

    def checks(self, image: Image, face: Face) -> Sequence[Check]:
        """Of the pixels of the only face in *image*: "clipped" and "flat"."""
        ...

    def defect(self, image: Image, name: str) -> LikenessError | None:
        """Why the picture is unfit whoever it shows (blank, blown out, crushed), or None."""
        ...
