"""Photos on their way in, and what became of them."""

from dataclasses import dataclass

from services.face_analysis.domain.faces import Face
from services.face_analysis.domain.findings import FaceFeature
from shared.errors import LikenessError


@dataclass(frozen=True)
class Photo:
    """An encoded picture: the bytes themselves, or where they lie in the artifact store."""

    name: str
    """What messages call it, for example "image 3"."""
    data: bytes | None = None
    artifact_uri: str = ""
    artifact_sha256: str = ""
    """The digest that the caller states for the artifact, if any."""
    features: frozenset[FaceFeature] = frozenset()
    """What is wanted of its faces beyond what every result has."""


@dataclass(frozen=True)
class ImageAnalysis:
    """All faces of one picture, in coordinates of the upright picture."""

    faces: tuple[Face, ...]
    """The largest first."""
    width_px: int
    height_px: int
    rotation_deg: int = 0
    """Clockwise rotation after EXIF under which the faces were found: 0, 90, 180 or 270."""


@dataclass(frozen=True)
class AnalyzedPhoto:
    """A photo with its analysis, or with the reason why there is none."""

    name: str
    sha256: str
    """Of the encoded bytes; empty where they could not be had."""
    outcome: ImageAnalysis | LikenessError
