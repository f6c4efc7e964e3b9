"""Faces and pictures as the orchestrator passes them on; it computes nothing from their content."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from services.orchestrator.domain.base import Record

Point = tuple[float, float]


class BlobRef(Record):
    """A stored blob: its address, digest (SHA-256, hexadecimal), size and media type."""

    uri: str
    sha256: str
    size_bytes: int
    media_type: str


@dataclass(frozen=True)
class Picture:
    """An encoded picture with the name that messages use for it, and its place in the store if it has one.

    A picture over 4 MiB travels by its ``ref`` and must have one.
    """

    data: bytes
    name: str = ""
    ref: BlobRef | None = None


class Refusal(Record):
    """Why a picture is not used: reason of the error catalogue, text, the text's dynamic parts."""

    reason: str
    message: str
    metadata: dict[str, str] = Field(default_factory=dict)


class Embedding(Record):
    """An identity embedding: float32 values, L2-normalised, and the embedder that made it."""

    values: tuple[float, ...]
    model: str


class Attribute(Record):
    """One voted property of a person, with the probability of its value in [0, 1]."""

    name: str
    value: str
    confidence: float


class Feature(StrEnum):
    """What face analysis finds out on request; the names are those of its FaceFeature."""

    STRUCTURE = "STRUCTURE"
    MARKS = "MARKS"


@dataclass(frozen=True)
class Structure:
    """Dense landmarks, part map and marks of a face, as face analysis sent them for fusion.

    ``message`` is a serialised likeness.common.v1.Face with those fields alone: nothing here looks inside.
    """

    message: bytes


class Quality(Record):
    """Measured quality of a face; units and ranges as in likeness.common.v1.FaceQuality.

    ``judged`` is None and ``defects`` (strength by kind) empty where no quality net is installed.
    """

    sharpness: float = 0.0
    exposure: float = 0.0
    size_px: float = 0.0
    yaw_degrees: float = 0.0
    pitch_degrees: float = 0.0
    roll_degrees: float = 0.0
    landmark_confidence: float = 0.0
    overall: float = 0.0
    judged: float | None = None
    defects: dict[str, float] = Field(default_factory=dict)


class Face(Record):
    """One detected face. Geometry in pixels of the upright picture; left is the viewer's.

    ``box_px`` is (x0, y0, x1, y1), maximum exclusive. ``landmarks_px`` are left eye, right eye, nose, left
    and right corner of the mouth. ``embedding`` is what generators take, ``comparison_embedding`` what faces
    are compared by. ``structure`` is set where it was asked for, and never kept with the record.
    """

    box_px: tuple[float, float, float, float]
    landmarks_px: tuple[Point, Point, Point, Point, Point]
    embedding: Embedding | None = None
    comparison_embedding: Embedding | None = None
    detection_confidence: float = 0.0
    quality: Quality = Quality()
    attributes: tuple[Attribute, ...] = ()
    structure: Structure | None = Field(default=None, exclude=True, repr=False)

    @property
    def compared(self) -> Embedding | None:
        """The embedding to compare by: the raw one where a service sends no other."""
        return self.comparison_embedding or self.embedding

    def overlap(self, other: "Face") -> float:
        """Return the common area of two faces' boxes over their joint area, in [0, 1]."""
        ours, theirs = self.box_px, other.box_px
        width = min(ours[2], theirs[2]) - max(ours[0], theirs[0])
        height = min(ours[3], theirs[3]) - max(ours[1], theirs[1])
        common = max(width, 0.0) * max(height, 0.0)
        joint = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (ours, theirs)) - common
        return common / joint if joint > 0 else 0.0

    def moved(self, *, left_px: float, top_px: float, scale: float) -> "Face":
        """Return the face in a crop that begins at (left_px, top_px) and is then scaled by ``scale``.

        Its structure is not moved but dropped.
        """

        def move(point: Point) -> Point:
            return ((point[0] - left_px) * scale, (point[1] - top_px) * scale)

        x0, y0, x1, y1 = self.box_px
        eye_l, eye_r, nose, mouth_l, mouth_r = (move(point) for point in self.landmarks_px)
        quality = self.quality.model_copy(update={"size_px": self.quality.size_px * scale})
        return self.model_copy(
            update={
                "box_px": (*move((x0, y0)), *move((x1, y1))),
                "landmarks_px": (eye_l, eye_r, nose, mouth_l, mouth_r),
                "quality": quality,
                "structure": None,
            }
        )


@dataclass(frozen=True)
class FacedPicture:
    """A picture with all faces found in it, the largest first."""

    picture: Picture
    faces: tuple[Face, ...]


@dataclass(frozen=True)
class AnalyzedPicture:
    """Faces of one picture, or why it could not be read."""

    faces: tuple[Face, ...]
    refusal: Refusal | None = None


@dataclass(frozen=True)
class CuratedPhoto:
    """Verdict on one photo of a set; ``refusals`` is empty exactly where it is accepted."""

    name: str
    is_accepted: bool
    refusals: tuple[Refusal, ...]
    warnings: tuple[Refusal, ...]
    face: Face | None
    applied_rotation_degrees: int
    similarity_to_set: float


@dataclass(frozen=True)
class Curation:
    """Verdicts on a set, in the order of the photos, with the attributes voted over the accepted ones."""

    photos: tuple[CuratedPhoto, ...]
    attributes: tuple[Attribute, ...]
    template_index: int
