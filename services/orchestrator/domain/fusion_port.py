"""Port of the fusion service: fuses, restores, enhances and ranks pictures whose faces were found before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.orchestrator.domain.edits import PlacedMark
from services.orchestrator.domain.faces import Attribute, Embedding, FacedPicture, Picture
from services.orchestrator.domain.ports import Caller
from services.orchestrator.domain.stages import Ranking


@dataclass(frozen=True)
class FuseOptions:
    """How to fuse.

    ``strength`` is in (0, 1]. ``regions`` are weights of "eyes", "skin" and "lips"; unnamed ones are the
    service's default. ``warp`` is "similarity", "landmarks" or "posed".
    """

    strength: float
    regions: Mapping[str, float]
    warp: str


@dataclass(frozen=True)
class FusedFace:
    """A fused picture, PNG of the candidate's size.

    ``template_index`` is the position of the chosen reference; the scores are what it was chosen by, in
    [0, 1]. ``warp`` is the one that was applied, ``backend`` what did the work.
    """

    data: bytes
    template_index: int
    template_score: float
    pose_similarity: float
    expression_similarity: float
    mask_share: float
    warp: str
    backend: str


@dataclass(frozen=True)
class MarkedPicture:
    """A picture with its marks, PNG of the candidate's size.

    ``marks`` are those that were placed; ``skipped`` holds a reason ("turned away", "covered" ...) for each
    mark of the person that was not.
    """

    data: bytes
    marks: tuple[PlacedMark, ...]
    skipped: tuple[str, ...]


@dataclass(frozen=True)
class TexturedPicture:
    """A picture with skin texture, PNG of the candidate's size; ``strength`` 0 changed nothing.

    ``added_contrast`` is a root mean square in units of CIE lightness.
    """

    data: bytes
    reference_index: int
    strength: float
    added_contrast: float


@dataclass(frozen=True)
class EnhancedPicture:
    """An enhanced or enlarged picture, PNG, with the names of what did it; "" where nothing did."""

    data: bytes
    enhancer: str
    upscaler: str


@dataclass(frozen=True)
class RankWishes:
    """How to rank.

    ``min_similarity`` replaces the calibrated gate; otherwise ``false_accept_rate`` chooses it, None by the
    service's default. ``attributes`` are what the prompt asks for. With ``is_face_optional`` a candidate may
    pass in which no face is found.
    """

    min_similarity: float | None = None
    false_accept_rate: float | None = None
    attributes: tuple[Attribute, ...] = ()
    is_face_optional: bool = False


class Fusion(Protocol):
    """Works on faces that face analysis has found. References travel by their place in the store."""

    async def fuse(
        self,
        candidate: FacedPicture,
        templates: Sequence[FacedPicture],
        options: FuseOptions,
        caller: Caller,
    ) -> FusedFace:
        """Fuse the best template face into a candidate with exactly one face."""

    async def restore_marks(
        self, candidate: FacedPicture, references: Sequence[FacedPicture], caller: Caller
    ) -> MarkedPicture:
        """Put moles, freckles and scars that recur over the references back."""

    async def restore_texture(
        self,
        candidate: FacedPicture,
        references: Sequence[FacedPicture],
        strength: float | None,
        caller: Caller,
    ) -> TexturedPicture:
        """Bring wrinkles and skin texture back; ``strength`` None goes by age. All need their structure."""

    async def enhance(self, picture: Picture, scale: int, strength: float, caller: Caller) -> EnhancedPicture:
        """Enhance by ``strength`` in [0, 1], and enlarge by ``scale``, 1 or 2."""

    async def rank(
        self,
        candidates: Mapping[int, FacedPicture],
        references: Sequence[Embedding],
        wishes: RankWishes,
        caller: Caller,
    ) -> Ranking:
        """Rank candidates, given by index, against the comparison embeddings of all references."""
