"""Steps after generation, and the rule by which the result of one is kept or undone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from services.orchestrator.domain.base import Record
from services.orchestrator.domain.faces import AnalyzedPicture, Embedding

# Float noise of two measurements of one picture is far below; a gain under it is none.
_EPSILON = 1e-6


class Step(StrEnum):
    """A step, in the order of work; the values are those of likeness.orchestrator.v1.Edit."""

    FUSE = "fuse"
    RESTORE_TEXTURE = "restore_texture"
    RESTORE_MARKS = "restore_marks"
    ENHANCE = "enhance"
    UPSCALE = "upscale"


class KeepRules(Record):
    """What a step may cost. Similarities are cosines of comparison embeddings, qualities in [0, 1].

    The bounds of likeness lie at what a measurement is worth: shifting a picture by one pixel, brightening it
    by 3 % or saving it as JPEG moves the best similarity to the references by 0.016 (root mean square over
    eleven portraits of the starter's generator, dlib's embedder with the metric for renders), and lowers it
    by more than 0.03 in one case of twenty. A much smaller bound would decide by lot.

    Attributes:
        fuse_min_gain: Fusion must raise the best similarity to the references by more than this.
        restore_max_loss: Texture and marks may lower it by at most this: they are the person's, but so small
            that an embedder hardly sees them.
        enhance_max_loss: Enhancing and upscaling may lower it by at most this.
        max_quality_loss: Share of the judged quality that fusion, texture and marks may cost.
        enhance_max_quality_loss: The same for enhancing and upscaling, which are there to raise it.
    """

    fuse_min_gain: float = Field(default=0.0, ge=0, le=1)
    restore_max_loss: float = Field(default=0.03, ge=0, le=2)
    enhance_max_loss: float = Field(default=0.03, ge=0, le=2)
    max_quality_loss: float = Field(default=0.05, ge=0, le=1)
    enhance_max_quality_loss: float = Field(default=0.01, ge=0, le=1)


@dataclass(frozen=True)
class Look:
    """What a picture was measured at.

    Attributes:
        similarity: Best cosine to the references, in [-1, 1]; None without a single face.
        quality: Judged quality of the face, in [0, 1]; None where no quality net is installed.
    """

    similarity: float | None
    quality: float | None = None


class Edit(Record):
    """One step that was done to a candidate; fields as in likeness.orchestrator.v1.Edit."""

    step: Step
    is_kept: bool
    reason: str = ""
    similarity_before: float | None = None
    similarity_after: float | None = None
    quality_before: float | None = None
    quality_after: float | None = None
    detail: str = ""

    def measured(self, before: Look, after: Look) -> "Edit":
        """Return the edit with what was measured before and after it, rounded to what people read."""
        return self.model_copy(
            update={
                "similarity_before": _rounded(before.similarity),
                "similarity_after": _rounded(after.similarity),
                "quality_before": _rounded(before.quality),
                "quality_after": _rounded(after.quality),
            }
        )

    @property
    def words(self) -> str:
        """The step and its detail in one line."""
        return f"{self.step} {self.detail}".rstrip()


class PlacedMark(Record):
    """A mark of the person that was put back, in pixels of the finished picture."""

    kind: str
    x_px: float
    y_px: float
    radius_px: float
    confidence: float

    def scaled(self, scale: float) -> "PlacedMark":
        """Return the mark in a picture enlarged by ``scale``; pixel centres are at halves."""
        return self.model_copy(
            update={
                "x_px": (self.x_px + 0.5) * scale - 0.5,
                "y_px": (self.y_px + 0.5) * scale - 0.5,
                "radius_px": self.radius_px * scale,
            }
        )


def look_at(analyzed: AnalyzedPicture, references: Sequence[Embedding]) -> Look:
    """Return what a picture's analysis says of likeness and quality.

    Args:
        analyzed: The picture's faces.
        references: Comparison embeddings of the person; those of another model are left out.
    """
    if len(analyzed.faces) != 1:
        return Look(None)
    [face] = analyzed.faces
    own = face.compared
    same = [item for item in references if own is not None and item.model == own.model]
    if own is None or not same:
        return Look(None, face.quality.judged)
    return Look(max(cosine(own.values, item.values) for item in same), face.quality.judged)


def cosine(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the cosine of two vectors of one length, in [-1, 1]; 0 where one of them is zero."""
    dot = sum(a * b for a, b in zip(first, second, strict=True))
    norm = math.sqrt(sum(a * a for a in first) * sum(b * b for b in second))
    return max(-1.0, min(1.0, dot / norm)) if norm > 0 else 0.0


def objection(step: Step, before: Look, after: Look, rules: KeepRules) -> str:
    """Say why a step is undone, in a few words; "" where it is kept.

    Quality is looked at only where both pictures were judged.
    """
    if before.similarity is None:
        return "the likeness could not be measured"
    if after.similarity is None:
        return "it left no single face"
    gain = after.similarity - before.similarity
    if step is Step.FUSE and gain <= rules.fuse_min_gain + _EPSILON:
        return f"it did not raise the likeness ({gain:+.3f})"
    is_polish = step in (Step.ENHANCE, Step.UPSCALE)
    max_loss = rules.enhance_max_loss if is_polish else rules.restore_max_loss
    if step is not Step.FUSE and -gain > max_loss + _EPSILON:
        return f"it lowered the likeness ({gain:+.3f})"
    if before.quality is None or after.quality is None:
        return ""
    share = rules.enhance_max_quality_loss if is_polish else rules.max_quality_loss
    if after.quality < before.quality * (1 - share) - _EPSILON:
        return f"it lowered the quality (from {before.quality:.2f} to {after.quality:.2f})"
    return ""


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
