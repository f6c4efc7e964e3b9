"""A training job: what was asked for, where it stands, how it ended."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from services.lora_training.domain.recipe import Recipe
from shared.artifacts import ArtifactRef
from shared.errors import LikenessError


class JobState(StrEnum):
    """States of a job; a job that a restart of the service interrupted stays RUNNING."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_terminal(self) -> bool:
        """Whether the job has ended."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True)
class JobFailure:
    """Why a job failed, in the words of the error catalogue."""

    reason: str
    message: str
    metadata: dict[str, str]

    @classmethod
    def of(cls, error: LikenessError) -> JobFailure:
        """Copy the public content of an error."""
        return cls(str(error.reason), error.message, dict(error.metadata))


@dataclass(frozen=True)
class JobResult:
    """The adapter of a job that succeeded.

    Attributes:
        artifact: the safetensors file.
        base_model_digest: hex SHA-256 of the UNet that it belongs to.
        final_loss: mean loss over the last tenth of the steps.
    """

    artifact: ArtifactRef
    base_model_digest: str
    final_loss: float


@dataclass(frozen=True)
class TrainingJob:
    """One job of one tenant. Times are seconds since the epoch.

    Attributes:
        job_id: unique, [a-z0-9-].
        tenant: owner; nobody else sees the job.
        subject: identity or style that the adapter is for.
        base_model: name of the model folder.
        recipe: hyper-parameters, complete.
        body_sha256: digest of the request without its request_id: equal requests have equal digests.
        request_id: idempotency key of the client, "" without one.
        created_at: when the job was accepted.
        state: where it stands.
        steps_done: steps that are done, also after the end.
        loss: smoothed loss, None before the first step.
        remaining_s: estimated seconds to the end, None where nothing is known.
        started_at: when a worker first took it.
        ended_at: when it ended.
        result: set in SUCCEEDED.
        failure: set in FAILED.
    """

    job_id: str
    tenant: str
    subject: str
    base_model: str
    recipe: Recipe
    body_sha256: str
    request_id: str
    created_at: float
    state: JobState = JobState.QUEUED
    steps_done: int = 0
    loss: float | None = None
    remaining_s: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    result: JobResult | None = None
    failure: JobFailure | None = None

    @property
    def name(self) -> str:
        """Resource name."""
        return f"trainingJobs/{self.job_id}"

    def started(self, now: float) -> TrainingJob:
        """Return the job in the hands of a worker; a resumed job keeps its first start."""
        return replace(self, state=JobState.RUNNING, started_at=self.started_at or now)

    def stepped(self, steps_done: int, loss: float, remaining_s: float) -> TrainingJob:
        """Return the job after a step."""
        return replace(self, steps_done=steps_done, loss=loss, remaining_s=remaining_s)

    def succeeded(self, result: JobResult, now: float) -> TrainingJob:
        """Return the job with its result."""
        state = JobState.SUCCEEDED
        return replace(self, state=state, steps_done=self.recipe.steps, result=result, **_ended(now))

    def failed(self, failure: JobFailure, now: float) -> TrainingJob:
        """Return the job with its failure."""
        return replace(self, state=JobState.FAILED, failure=failure, **_ended(now))

    def cancelled(self, now: float) -> TrainingJob:
        """Return the job after a Cancel call."""
        return replace(self, state=JobState.CANCELLED, **_ended(now))

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; `from_json` restores an equal job."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> TrainingJob:
        """Build from `to_json` values."""
        result, failure = values["result"], values["failure"]
        if result is not None:
            result = JobResult(**{**result, "artifact": ArtifactRef(**result["artifact"])})
        return cls(
            **{
                **values,
                "recipe": Recipe.from_json(values["recipe"]),
                "state": JobState(values["state"]),
                "result": result,
                "failure": None if failure is None else JobFailure(**failure),
            }
        )


def _ended(now: float) -> dict[str, Any]:
    return {"ended_at": now, "remaining_s": None}
