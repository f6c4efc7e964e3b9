"""A portrait: the whole job from an identity's photos to ranked images."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from services.orchestrator.domain.base import Record
from services.orchestrator.domain.edits import Edit, PlacedMark
from services.orchestrator.domain.faces import BlobRef, Refusal
from services.orchestrator.domain.finishing import Finishing

DEFAULT_PORTRAIT_COUNT = 4
CANDIDATES_PER_PORTRAIT = 5
DEFAULT_SIZE_PX = 256
DEFAULT_STYLE = "styles/studio"
MAX_CANDIDATES = 64


class State(StrEnum):
    """State of a portrait; the names are those of likeness.common.v1.JobState."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_terminal(self) -> bool:
        """True where nothing will happen any more."""
        return self not in (State.QUEUED, State.RUNNING)


class Stage(StrEnum):
    """Stage of a portrait, in the order of work."""

    ANALYSE = "ANALYSE"
    TRAIN = "TRAIN"
    GENERATE = "GENERATE"
    FUSE = "FUSE"
    RANK = "RANK"
    STORE = "STORE"


class IdentityMode(StrEnum):
    """How the identity is brought in; AUTO uses an adapter that exists and trains none."""

    AUTO = "AUTO"
    TRAIN = "TRAIN"
    TRAIN_FREE = "TRAIN_FREE"


class PortraitSpec(Record):
    """What a portrait is to look like, defaults filled in."""

    identity: str
    style: str
    portrait_count: int
    candidate_count: int
    mode: IdentityMode
    prompt: str
    negative_prompt: str
    seed: int
    size_px: int
    finishing: Finishing = Finishing()

    @property
    def candidate_budget(self) -> int:
        """Candidates that may be made where too few pass the gate: twice as many, at most 64."""
        return min(2 * self.candidate_count, MAX_CANDIDATES)


class Failure(Record):
    """Why a portrait failed: what a failed call would carry."""

    reason: str
    message: str
    metadata: dict[str, str] = Field(default_factory=dict)


class Candidate(Record):
    """One generated picture and what became of it."""

    index: int
    seed: int
    artifact: BlobRef
    thumbnail: BlobRef | None = None
    rank: int = 0
    score: float = 0.0
    best_similarity: float = 0.0
    mean_similarity: float = 0.0
    rejection: Refusal | None = None
    manifest: BlobRef | None = None
    is_winner: bool = False
    edits: tuple[Edit, ...] = ()
    restored_marks: tuple[PlacedMark, ...] = ()

    @property
    def candidate_id(self) -> str:
        """Name within the portrait."""
        return f"candidate-{self.index}"


class StageTime(Record):
    """Own time of a stage in seconds, summed over its rounds."""

    stage: Stage
    seconds: float


class Portrait(Record):
    """A portrait of a tenant as of now."""

    id: str
    tenant: str
    spec: PortraitSpec
    create_time: datetime
    state: State = State.QUEUED
    stage: Stage | None = None
    progress: float = 0.0
    remaining_s: float | None = None
    candidates: tuple[Candidate, ...] = ()
    prompt: str = ""
    notices: tuple[str, ...] = ()
    error: Failure | None = None
    stage_times: tuple[StageTime, ...] = ()
    start_time: datetime | None = None
    end_time: datetime | None = None
    identity_gate: float = 0.0
    used_adapter: bool = False

    @property
    def name(self) -> str:
        """Resource name."""
        return f"portraits/{self.id}"

    @property
    def owner(self) -> str:
        """Name under which the portrait's blobs are linked."""
        return self.name
