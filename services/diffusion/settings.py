"""Settings of the diffusion service: LIKENESS_DIFFUSION_<FIELD>; the table is in README.md."""

from pathlib import Path

from pydantic import Field

from shared.settings import ServiceSettings, settings_config

_STARTER = Path(__file__).parents[2] / "starter" / "weights"


class DiffusionSettings(ServiceSettings):
    """What is installed, how much is batched, how many threads compute."""

    model_config = settings_config("DIFFUSION")

    backend: str = Field(
        default="torch", pattern="^(torch|fake)$", description="What runs the models: torch, or fake."
    )
    models: dict[str, Path] = Field(
        default_factory=lambda: {"starter": _STARTER},
        min_length=1,
        description="Stable Diffusion folders by model name, as a JSON object; the first is the default.",
    )
    device: str = Field(default="cpu", description="torch device of the UNet: cpu, cuda, cuda:1.")
    torch_threads: int | None = Field(
        default=None,
        ge=1,
        description="Threads of one torch call; unset = OMP_NUM_THREADS. Pictures are repeatable per value.",
    )
    max_rows: int = Field(default=16, ge=1, le=256, description="Rows of one UNet call.")
    max_active_images: int = Field(default=16, ge=1, description="Pictures whose rows take turns.")
    max_waiting_images: int = Field(
        default=64, ge=0, description="Pictures that may wait; more get QUEUE_FULL."
    )
    max_adapter_rank: int = Field(default=128, ge=1, description="Largest rank of an adapter's layer.")
    adapter_cache_bytes: int = Field(
        default=512 * 2**20, ge=0, description="Adapters kept in memory, in bytes of their files, per model."
    )
