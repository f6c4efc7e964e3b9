"""Settings of the stylization service; the table in the README mirrors them."""

from pathlib import Path

from pydantic import Field

from shared.settings import ServiceSettings, settings_config

# By this file and not by the working directory: a server may be started from anywhere.
_STARTER_PACK = Path(__file__).resolve().parents[2] / "starter" / "weights"


class StylizationSettings(ServiceSettings):
    """What the stylization service is set up with; LIKENESS_STYLIZATION_<FIELD>."""

    model_config = settings_config("STYLIZATION")

    backend: str = Field(default="onnx", pattern="^(onnx|fake)$", description="Nets in ONNX files, or fake.")
    effects_folder: Path = Field(
        default=_STARTER_PACK / "stylizer",
        description="Folder of NAME.onnx and NAME.json, one pair an effect, the default first by name.",
    )
    longest_px: int = Field(
        default=640,
        ge=64,
        le=4096,
        description="Longer side at which a net draws.",
    )
    worker_count: int = Field(default=2, ge=1, le=64, description="Threads for pictures and frames.")
    frames_ahead: int = Field(default=2, ge=1, le=64, description="Frames of a stream that are read ahead.")
    steadiness: float = Field(
        default=0.0, ge=0, lt=1, description="Share of the last drawing kept where a stream stands still."
    )
