"""Settings of the fusion service; the table in the README mirrors them."""

from pathlib import Path

from pydantic import Field

from shared.settings import ServiceSettings, settings_config


class FusionSettings(ServiceSettings):
    """What the fusion service is set up with; LIKENESS_FUSION_<FIELD>."""

    model_config = settings_config("FUSION")

    worker_count: int = Field(default=2, ge=1, le=64, description="Threads for image work.")
    backend: str = Field(
        default="opencv", pattern="^(opencv|fake)$", description="Image work: opencv, or fake."
    )
    enhancer_onnx: Path | None = Field(
        default=None, description="ONNX enhancer or upscaler instead of the classical one; mind its licence."
    )
    identity_gates: dict[str, float] = Field(
        # Equal false accepts and rejects with three or more references; README, "The gate".
        default_factory=lambda: {"dlib-resnet-v1": 0.95},
        description="Calibrated identity gate (cosine) by embedder, as JSON.",
    )
    min_face_px: int = Field(
        default=48, ge=0, le=1024, description="Least face size of a ranked candidate in px."
    )
    duplicate_similarity: float = Field(
        default=0.98,
        ge=0,
        le=1,
        description="Likeness of two pictures from which the lower ranked one is thinned out.",
    )
