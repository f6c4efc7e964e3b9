"""Settings of this service; environment prefix LIKENESS_LORA_TRAINING_."""

import os
from pathlib import Path

from pydantic import Field

from shared.settings import ServiceSettings, settings_config

_STARTER = Path(__file__).parents[2] / "starter" / "weights"


class LoraTrainingSettings(ServiceSettings):
    """Which models are trained on, where jobs live, how much the workers may take."""

    model_config = settings_config("LORA_TRAINING")

    models: dict[str, Path] = Field(
        default_factory=lambda: {"starter": _STARTER},
        min_length=1,
        description="Stable Diffusion folders by model name, as a JSON object; the first is the default.",
    )
    model_licence: str = Field(
        default="Apache-2.0", description="Licence that an error about a missing file names."
    )
    model_command: str = Field(
        default="git checkout -- starter/weights", description="Command that it names."
    )
    state_folder: Path = Field(
        default=Path("out/state/lora_training"),
        description="Jobs with their photos, cached latents and checkpoints; must outlive the process.",
    )
    worker_count: int = Field(
        default=1, ge=1, le=16, description="Trainings at a time, each in its own process."
    )
    worker_thread_count: int = Field(
        default_factory=lambda: min(os.cpu_count() or 1, 8),
        ge=1,
        le=256,
        description="Threads of one worker (default: cores, at most 8); another number gives other bytes.",
    )
    worker_nice: int = Field(
        default=5, ge=0, le=19, description="How far workers step back behind the services."
    )
    queue_limit: int = Field(default=32, ge=0, description="Jobs that may wait; one more gets QUEUE_FULL.")
    default_step_count: int | None = Field(
        default=None,
        ge=1,
        le=20_000,
        description="Steps of jobs that name none; unset = the recipe's default.",
    )
    initial_adapter: str = Field(
        default="common-face",
        max_length=128,
        description="Adapter of the base model that identities of few photos start from.",
    )
    initial_adapter_photos: int = Field(
        default=0,
        ge=0,
        le=64,
        description="Most photos of an identity that starts from it, if it fits; 0 = none does.",
    )
    checkpoint_every_steps: int = Field(
        default=50,
        ge=1,
        le=20_000,
        description="Steps between checkpoints: what a killed worker loses at most.",
    )
    heartbeat_s: float = Field(
        default=15.0, gt=0, description="Silence after which a watch gets a heartbeat."
    )

    def recipe_defaults(self) -> dict[str, object]:
        """Return the hyper-parameters that this installation sets, by field name of `Recipe`."""
        defaults: dict[str, object] = {"checkpoint_every": self.checkpoint_every_steps}
        if self.default_step_count is not None:
            defaults["steps"] = self.default_step_count
        return defaults
