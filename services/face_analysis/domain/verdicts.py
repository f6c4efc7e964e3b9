"""What is said of the photos of a set, one by one and together."""

from dataclasses import dataclass, field

from services.face_analysis.domain.faces import AttributeGuess, Face, Floats
from shared.errors import LikenessError


@dataclass(frozen=True)
class Remark:
    """A refusal or a warning about one photo, for machines and for people."""

    reason: str
    message: str
    metadata: dict[str, str]

    @classmethod
    def from_error(cls, error: LikenessError, addition: str = "", **metadata: str) -> "Remark":
        """The text and metadata of a typed error, with what this set adds to them."""
        message = f"{error.message} {addition}".strip()
        return cls(error.reason.value, message, {**error.metadata, **metadata})


@dataclass
class PhotoVerdict:
    """What the rules say of one photo; filled while the set is judged."""

    name: str
    face: Face | None = None
    rotation_deg: int = 0
    refusals: list[Remark] = field(default_factory=list)
    warnings: list[Remark] = field(default_factory=list)
    similarity_to_set: float = 0.0
    """Cosine to the mean of the accepted faces; 0 without a face or without an accepted photo."""

    @property
    def is_accepted(self) -> bool:
        """True exactly when nothing refuses it."""
        return not self.refusals


@dataclass(frozen=True)
class CurationReport:
    """The verdicts in the order of the photos, and what the accepted ones say together."""

    verdicts: tuple[PhotoVerdict, ...]
    mean_embedding: Floats | None
    """Direction of the mean of the accepted embeddings; None when no photo was accepted."""
    attributes: dict[str, AttributeGuess]
    """Scores averaged over the accepted photos."""
    template_index: int
    """The accepted photo whose face is the best template; -1 when none was accepted."""
