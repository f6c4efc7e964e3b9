"""The ports of the small nets: structure, marks and quality of a face, each optional."""

from typing import Protocol

from services.face_analysis.domain.faces import DetectedFace, Rgb
from services.face_analysis.domain.findings import JudgedQuality, SkinMark, Structure

MAX_MARKS = 256
"""What one face of a message may carry; a face has a dozen, a freckled one some tens."""


class StructureModel(Protocol):
    """Reads the structure of a face. Safe to share between threads."""

    def read(self, rgb: Rgb, face: DetectedFace) -> Structure:
        """Landmarks and parts; the same number of points and the same part names for every face."""


class MarkModel(Protocol):
    """Finds marks of the skin. Safe to share between threads."""

    def find(self, rgb: Rgb, face: DetectedFace) -> tuple[SkinMark, ...]:
        """Marks of one face, the most confident first, at most `MAX_MARKS`; empty where there are none."""


class QualityModel(Protocol):
    """Judges the picture of a face. Safe to share between threads."""

    def judge(self, rgb: Rgb, face: DetectedFace) -> JudgedQuality:
        """Quality, and a strength for each kind of defect that the model knows."""
