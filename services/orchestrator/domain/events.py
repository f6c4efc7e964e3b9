"""Events of a portrait: durable ones are numbered, live ones carry the last durable number."""

from dataclasses import dataclass
from datetime import datetime

from services.orchestrator.domain.base import Record
from services.orchestrator.domain.portrait import Candidate, Stage


class CandidateNews(Record):
    """A candidate has come out of a stage."""

    candidate: Candidate
    stage: Stage


class DurableEvent(Record):
    """A kept event. Without ``candidate`` it says that the portrait itself changed."""

    sequence: int
    time: datetime
    candidate: CandidateNews | None = None


@dataclass(frozen=True)
class StepNews:
    """Progress within a stage; live only. ``preview`` is PNG or JPEG, at most 64 KiB."""

    stage: Stage
    steps_done: int
    step_count: int
    candidate_id: str = ""
    detail: str = ""
    preview: bytes | None = None
