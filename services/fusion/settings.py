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
    swapper_onnx: Path | None = Field(
        default=None,
        description="ONNX face swapper of inswapper's interface instead of OpenCV; mind its licence.",
    )
    enhancer_onnx: Path | None = Field(
        default=None, description="ONNX enhancer instead of the starter pack's; mind its licence."
    )
    upscaler_onnx: Path | None = Field(
        default=None, description="ONNX upscaler instead of the starter pack's; mind its licence."
    )
    enhancer_folder: Path | None = Field(
        default=None,
        description="Folder of enhancer.onnx; unset = the starter pack's, if it is there, else OpenCV.",
    )
    upscaler_folder: Path | None = Field(
        default=None,
        description="Folder of upscaler.onnx; unset = the starter pack's, if it is there, else OpenCV.",
    )
    gates_file: Path | None = Field(
        default=None, description="Calibrated gate of `likeness calibrate`, beside the shipped ones."
    )
    identity_gates: dict[str, float] = Field(
        default_factory=dict,
        description="Fixed identity gates (cosine) by embedder, as JSON, instead of calibrated ones.",
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
