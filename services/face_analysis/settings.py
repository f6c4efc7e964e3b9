"""Settings of this service; environment prefix LIKENESS_FACE_ANALYSIS_."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from shared.settings import ServiceSettings, settings_config


class FaceAnalysisSettings(ServiceSettings):
    """Which models run, with how many workers."""

    model_config = settings_config("FACE_ANALYSIS")

    backend: Literal["dlib", "insightface", "fake"] = Field(
        default="dlib", description="Which models find faces."
    )
    domain: Literal["renders", "photos"] = Field(
        default="renders", description="What dlib's similarities are calibrated for; photos: not measured."
    )
    worker_count: int = Field(default=1, ge=1, le=64, description="Images analysed at a time.")
    max_waiting_images: int = Field(
        default=256, ge=1, description="Images that may wait; a call that would exceed it gets QUEUE_FULL."
    )
    detection_side_px: int = Field(
        default=1024,
        ge=128,
        le=8192,
        description="Longer side to which dlib's detector reduces larger images.",
    )
    tries_rotations: bool = Field(
        default=True,
        description="Whether a photo without an upright face is turned by right angles to find one.",
    )
    attributes_folder: Path | None = Field(
        default=None,
        description="Folder of attributes.onnx; unset = the starter pack's, if it is there.",
    )
    structure_folder: Path | None = Field(
        default=None,
        description="Folder of structure.onnx; unset = the starter pack's, if it is there.",
    )
    marks_folder: Path | None = Field(
        default=None,
        description="Folder of marks.onnx; unset = the starter pack's, if it is there.",
    )
    quality_folder: Path | None = Field(
        default=None,
        description="Folder of quality.onnx; unset = the starter pack's, if it is there.",
    )
    insightface_detector: Path | None = Field(default=None, description="SCRFD file, such as det_10g.onnx.")
    insightface_recogniser: Path | None = Field(
        default=None, description="ArcFace file, such as w600k_r50.onnx."
    )
    insightface_half_range: float = Field(
        default=127.5,
        ge=0,
        description="Pixels enter ArcFace as (value - x) / x; 0 = as they are (MXNet exports).",
    )
    insightface_same_person_similarity: float = Field(
        default=0.4,
        gt=-1,
        lt=1,
        description="Cosine of one person; 0.408 is a false accept rate of 1e-6 for buffalo_l.",
    )
    insightface_same_set_similarity: float = Field(
        default=0.3,
        gt=-1,
        lt=1,
        description="Mean cosine that keeps the photos of one set together; not calibrated.",
    )
