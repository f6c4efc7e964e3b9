"""Results of the workflow's stages: small, plain JSON. Blobs are referred to, embeddings stay out."""

from services.orchestrator.domain.base import Record
from services.orchestrator.domain.edits import Edit, PlacedMark
from services.orchestrator.domain.faces import BlobRef, Refusal
from services.orchestrator.domain.portrait import Failure


class StageOutcome(Record):
    """How a stage ended; ``result`` is its own record as JSON. Exactly one of the three is set."""

    seconds: float
    result: dict[str, object] | None = None
    failure: Failure | None = None
    is_cancelled: bool = False


class Plan(Record):
    """What ANALYSE decided: the words, the size that diffusion draws at, and whether to train."""

    prompt: str
    negative_prompt: str
    model: str
    training_model: str
    model_digest: str
    draw_size_px: int
    upscale: int
    use_tokens: bool
    train: bool
    adapter_artifact: BlobRef | None = None
    reference_count: int


class Trained(Record):
    """What TRAIN made."""

    artifact: BlobRef
    base_model_digest: str
    job: str
    step_count: int
    final_loss: float


class Generated(Record):
    """One picture of GENERATE, and the words of its prompts that the model can hardly know."""

    index: int
    seed: int
    artifact: BlobRef
    model_digest: str
    adapter_digests: tuple[str, ...]
    unfamiliar_words: tuple[str, ...] = ()


class GeneratedRound(Record):
    """What one round of GENERATE made."""

    pictures: tuple[Generated, ...]


class Fused(Record):
    """One picture of FUSE.

    ``transformations`` are the kept steps in words, in order; ``edits`` all of them, with what was measured.
    """

    index: int
    artifact: BlobRef
    transformations: tuple[str, ...]
    rejection: Refusal | None = None
    edits: tuple[Edit, ...] = ()
    restored_marks: tuple[PlacedMark, ...] = ()


class FusedRound(Record):
    """What one round of FUSE made, and what the caller should know of how."""

    pictures: tuple[Fused, ...]
    notices: tuple[str, ...] = ()


class Check(Record):
    """One check for artefacts, with its score in [0, 1]; 1 is flawless."""

    name: str
    score: float


class Verdict(Record):
    """What RANK says of one candidate; units and ranges as in likeness.fusion.v1.RankedCandidate."""

    index: int
    rank: int
    score: float
    best_similarity: float
    mean_similarity: float
    best_reference_index: int
    rejection: Refusal | None = None
    quality: float = 0.0
    attribute_match: float | None = None
    checks: tuple[Check, ...] = ()


class Ranking(Record):
    """What RANK says of all candidates so far.

    The rates are those that the gate had when it was calibrated; None where a style names the gate.
    """

    verdicts: tuple[Verdict, ...]
    identity_gate: float
    false_accept_rate: float | None = None
    false_reject_rate: float | None = None

    @property
    def accepted_count(self) -> int:
        """Candidates that passed the gate."""
        return sum(verdict.rank > 0 for verdict in self.verdicts)


class StoredCandidate(Record):
    """A finished candidate: its final picture, thumbnail and manifest."""

    index: int
    artifact: BlobRef
    thumbnail: BlobRef
    manifest: BlobRef


class Stored(Record):
    """What STORE kept."""

    candidates: tuple[StoredCandidate, ...]
