"""Settings that every process has. Services subclass and set their own prefix.

class DiffusionSettings(ServiceSettings):
model_config = settings_config("DIFFUSION")
model_folder: Path = Path("starter/weights")
"""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def settings_config(service: str) -> SettingsConfigDict:
    """The configuration of a settings class whose variables are LIKENESS_<service>_<FIELD>."""
    return SettingsConfigDict(env_prefix=f"LIKENESS_{service.upper()}_", frozen=True, extra="forbid")


class ServerSettings(BaseSettings):
    """How a process listens, limits itself, drains and reports."""

    model_config = settings_config("SERVER")

    host: str = Field(default="127.0.0.1", description="Address to listen on; 0.0.0.0 in a container.")
    port: int = Field(default=0, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    drain_delay_s: float = Field(
        default=0.0,
        ge=0,
        description="Seconds between NOT_SERVING and refusing work, so that balancers notice.",
    )
    drain_grace_s: float = Field(
        default=10.0,
        ge=0,
        description="Seconds for calls in flight to finish; below the pod's termination time.",
    )
    max_message_bytes: int = Field(
        default=16 * 2**20, ge=2**10, description="Largest message, both ways, in bytes."
    )
    keepalive_s: float = Field(default=30.0, gt=0, description="Seconds between keepalive pings.")
    use_reflection: bool = Field(default=True, description="Whether grpcurl and ghz may list the services.")
    metrics_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Prometheus port; unset = no exposition, 0 takes a free one.",
    )
    log_level: str = Field(
        default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Lowest level logged."
    )
    log_format: str = Field(
        default="console", pattern="^(console|json)$", description="Lines for people, or JSON."
    )
    use_tracing: bool = Field(
        default=False, description="Whether OpenTelemetry spans are recorded and exported."
    )


class ServiceSettings(ServerSettings):
    """What a service adds to its process: where blobs lie, how long and how many calls it takes."""

    artifacts_url: str = Field(
        default="out/artifacts", description="Root of the artifact store: a folder or an fsspec URL."
    )
    default_deadline_s: float | None = Field(
        default=None, gt=0, description="Deadline in seconds of a unary call that brings none; unset = none."
    )
    max_concurrent_rpcs: int = Field(default=64, ge=1, description="Unary calls worked on at a time.")
    max_queued_rpcs: int = Field(
        default=256, ge=0, description="Calls that may wait for a slot; the next gets QUEUE_FULL."
    )
