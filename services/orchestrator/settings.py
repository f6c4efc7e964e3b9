"""Settings of the orchestrator (LIKENESS_ORCHESTRATOR_*); the table in the README mirrors them."""

from pathlib import Path

from pydantic import Field

from shared.settings import ServiceSettings, settings_config

_STYLES = Path(__file__).parent / "styles"


class OrchestratorSettings(ServiceSettings):
    """Where the other services are, where records live, what one tenant and one portrait may take."""

    model_config = settings_config("ORCHESTRATOR")

    face_analysis_target: str = Field(default="127.0.0.1:50051", description="host:port of face analysis.")
    lora_training_target: str = Field(default="127.0.0.1:50052", description="host:port of training.")
    diffusion_target: str = Field(default="127.0.0.1:50053", description="host:port of diffusion.")
    fusion_target: str = Field(default="127.0.0.1:50054", description="host:port of fusion.")
    stylization_target: str = Field(default="127.0.0.1:50055", description="host:port of stylization.")
    database_url: str = Field(
        default="sqlite:///out/state/orchestrator/records.sqlite",
        description="SQLAlchemy URL of identities, portraits and events.",
    )
    workflow_database_url: str = Field(
        default="sqlite:///out/state/orchestrator/workflows.sqlite",
        description="SQLAlchemy URL of the workflow engine's own tables.",
    )
    replica_name: str = Field(
        default="local", min_length=1, description="Names this replica; a restart recovers what it left."
    )
    sweep_at_start: bool = Field(
        default=True,
        description="Delete blobs whose owner never came to be; switch off where replicas share a database.",
    )
    styles_folder: Path = Field(default=_STYLES, description="Folder of the style files.")
    patience_s: float = Field(
        default=120.0, ge=0, description="How long a stage waits for a full or restarting service."
    )
    stage_timeout_s: float = Field(default=3600.0, gt=0, description="Longest time of one stage.")
    max_active_portraits: int = Field(
        default=64, ge=1, description="Portraits of one tenant that have not ended; one more gets QUEUE_FULL."
    )
    max_running_portraits: int = Field(default=4, ge=1, description="Portraits in work at a time.")
    max_upload_bytes: int = Field(
        default=256 * 2**20, ge=2**20, description="Photos of one upload together; they are held in memory."
    )
    preview_interval_steps: int = Field(
        default=4, ge=0, le=150, description="Denoising steps between two previews; 0 shows none."
    )
    heartbeat_s: float = Field(
        default=10.0, gt=0, description="Silence after which a watch gets a heartbeat."
    )
    false_accept_rate: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Share of strangers that the gate may let pass; unset: as the fusion service does.",
    )
