"""The jobs in memory: by tenant, by request_id, by page; with the progress log of each."""

from __future__ import annotations

import base64
import binascii
import json
from collections import deque
from dataclasses import dataclass

from services.lora_training.domain.job import JobState, TrainingJob
from services.lora_training.errors import UnknownTrainingJob
from shared.errors.common import PageTokenInvalid, RequestIdReused
from shared.progress import ProgressLog

_HISTORIES_KEPT = 64


@dataclass(frozen=True)
class JobUpdate:
    """The job as of a moment, seconds since the epoch."""

    job: TrainingJob
    time_s: float


@dataclass(frozen=True)
class JobPage:
    """Jobs of one page and the token of the next, "" at the end."""

    jobs: list[TrainingJob]
    next_page_token: str


class JobRegistry:
    """Every job that exists. Not thread-safe: the event loop owns it."""

    def __init__(self, heartbeat_s: float) -> None:
        """Args: heartbeat_s: silence after which watches get a heartbeat."""
        self._heartbeat_s = heartbeat_s
        self._jobs: dict[tuple[str, str], TrainingJob] = {}
        self._logs: dict[tuple[str, str], ProgressLog[JobUpdate]] = {}
        self._ended: deque[tuple[str, str]] = deque()

    def put(self, job: TrainingJob, now: float) -> None:
        """Add a job or replace it by its next version, and tell its watches."""
        key = (job.tenant, job.job_id)
        self._jobs[key] = job
        log = self._logs.get(key)
        if log is None:
            log = self._new_log(key)
        elif log.is_finished:
            return
        log.append(JobUpdate(job, now), terminal=job.state.is_terminal)
        if job.state.is_terminal:
            self._ended.append(key)
            self._forget_old_history(now)

    def remove(self, job: TrainingJob) -> None:
        """Forget a job; watches of it end."""
        self._jobs.pop((job.tenant, job.job_id), None)
        log = self._logs.pop((job.tenant, job.job_id), None)
        if log is not None:
            log.drain()

    def get(self, tenant: str, name: str) -> TrainingJob:
        """Return the tenant's job "trainingJobs/{id}". Raises: UnknownTrainingJob."""
        job = self._jobs.get((tenant, name.removeprefix("trainingJobs/")))
        if job is None:
            raise UnknownTrainingJob(training_job=name)
        return job

    def log(self, job: TrainingJob) -> ProgressLog[JobUpdate]:
        """Return the job's progress log. Raises: UnknownTrainingJob if the job was deleted."""
        log = self._logs.get((job.tenant, job.job_id))
        if log is None:
            raise UnknownTrainingJob(training_job=job.name)
        return log

    def all_jobs(self) -> list[TrainingJob]:
        """Return all jobs of all tenants, the oldest first."""
        return sorted(self._jobs.values(), key=_age)

    def by_request_id(self, tenant: str, request_id: str, body_sha256: str) -> TrainingJob | None:
        """Return the job that this request_id made before, None where it is new or empty.

        Raises: RequestIdReused if that job came of another body.
        """
        for job in self._of(tenant):
            if request_id and job.request_id == request_id:
                if job.body_sha256 != body_sha256:
                    raise RequestIdReused(request_id=request_id)
                return job
        return None

    def failed_twin(self, tenant: str, body_sha256: str) -> TrainingJob | None:
        """Return the tenant's latest failed job of the same body: its checkpoints are worth going on from."""
        twins = [job for job in self._of(tenant) if job.body_sha256 == body_sha256]
        return max((job for job in twins if job.state is JobState.FAILED), key=_age, default=None)

    def shares_artifact(self, job: TrainingJob) -> bool:
        """Whether another job of the tenant has the same adapter bytes, which are stored once."""
        if job.result is None:
            return False
        uri = job.result.artifact.uri
        others = (other for other in self._of(job.tenant) if other.job_id != job.job_id)
        return any(other.result is not None and other.result.artifact.uri == uri for other in others)

    def page(self, tenant: str, subject: str, page_size: int, page_token: str) -> JobPage:
        """Return jobs of a tenant (of one subject), the newest first. Raises: PageTokenInvalid."""
        after = _cursor(page_token, subject)
        jobs = sorted(
            (job for job in self._of(tenant) if subject in ("", job.subject)), key=_age, reverse=True
        )
        rest = [job for job in jobs if after is None or _age(job) < after]
        jobs = rest[:page_size]
        return JobPage(jobs, _token(jobs[-1], subject) if len(rest) > page_size else "")

    def drain(self) -> None:
        """End all watches."""
        for log in self._logs.values():
            log.drain()

    def _new_log(self, key: tuple[str, str]) -> ProgressLog[JobUpdate]:
        log = self._logs[key] = ProgressLog(heartbeat_s=self._heartbeat_s)
        return log

    def _forget_old_history(self, now: float) -> None:
        """Keep only the end state of jobs that ended long ago; their tokens become HISTORY_GONE."""
        while len(self._ended) > _HISTORIES_KEPT:
            key = self._ended.popleft()
            if key in self._jobs:
                self._new_log(key).append(JobUpdate(self._jobs[key], now), terminal=True)

    def _of(self, tenant: str) -> list[TrainingJob]:
        return [job for (owner, _), job in self._jobs.items() if owner == tenant]


def _age(job: TrainingJob) -> tuple[float, str]:
    return job.created_at, job.job_id


def _token(last: TrainingJob, subject: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([*_age(last), subject]).encode()).decode()


def _cursor(token: str, subject: str) -> tuple[float, str] | None:
    if not token:
        return None
    try:
        created_at, job_id, token_subject = json.loads(base64.urlsafe_b64decode(token.encode()))
        cursor = float(created_at), str(job_id)
    except (ValueError, TypeError, binascii.Error) as error:
        raise PageTokenInvalid() from error
    if token_subject != subject:
        raise PageTokenInvalid()
    return cursor
