"""Portraits: specs in, records out."""

from likeness.common.v1 import image_pb2, job_pb2
from likeness.orchestrator.v1 import resources_pb2 as res

from services.orchestrator.domain.edits import Edit, PlacedMark
from services.orchestrator.domain.finishing import Finishing
from services.orchestrator.domain.portrait import Candidate, IdentityMode, Portrait, PortraitSpec
from services.orchestrator.messages.basics import to_duration, to_ref, to_refusal, to_stage, to_time

_MODES = {
    IdentityMode.AUTO: res.IDENTITY_MODE_UNSPECIFIED,
    IdentityMode.TRAIN: res.IDENTITY_MODE_TRAIN,
    IdentityMode.TRAIN_FREE: res.IDENTITY_MODE_TRAIN_FREE,
}


def from_spec(message: res.PortraitSpec) -> PortraitSpec:
    """Convert what was asked for; zero and empty still mean the default."""
    return PortraitSpec(
        identity=message.identity,
        style=message.style,
        portrait_count=message.portrait_count,
        candidate_count=message.candidate_count,
        mode=next(mode for mode, value in _MODES.items() if value == message.mode),
        prompt=message.prompt,
        negative_prompt=message.negative_prompt,
        seed=message.seed,
        size_px=message.size_px,
        finishing=_from_finishing(message.finishing),
    )


def to_spec(spec: PortraitSpec) -> res.PortraitSpec:
    """Convert what was asked for."""
    return res.PortraitSpec(
        identity=spec.identity,
        style=spec.style,
        portrait_count=spec.portrait_count,
        candidate_count=spec.candidate_count,
        mode=_MODES[spec.mode],
        prompt=spec.prompt,
        negative_prompt=spec.negative_prompt,
        seed=spec.seed,
        size_px=spec.size_px,
        finishing=res.Finishing(**spec.finishing.model_dump(exclude_none=True)),
    )


def _from_finishing(message: res.Finishing) -> Finishing:
    return Finishing(
        **{
            name: getattr(message, name) if message.HasField(name) else None
            for name in Finishing.model_fields
        }
    )


def to_edit(edit: Edit) -> res.Edit:
    """Convert a step that was done to a candidate."""
    return res.Edit(**edit.model_dump(mode="json", exclude_none=True))


def to_mark(mark: PlacedMark) -> res.PlacedMark:
    """Convert a mark that was put back."""
    return res.PlacedMark(
        kind=mark.kind,
        center=image_pb2.Point(x=mark.x_px, y=mark.y_px),
        radius_px=mark.radius_px,
        confidence=mark.confidence,
    )


def to_candidate(candidate: Candidate) -> res.Candidate:
    """Convert a candidate."""
    return res.Candidate(
        candidate_id=candidate.candidate_id,
        artifact=to_ref(candidate.artifact),
        seed=candidate.seed,
        rank=candidate.rank,
        score=candidate.score,
        best_similarity=candidate.best_similarity,
        mean_similarity=candidate.mean_similarity,
        rejection=to_refusal(candidate.rejection),
        manifest=to_ref(candidate.manifest),
        is_winner=candidate.is_winner,
        edits=[to_edit(edit) for edit in candidate.edits],
        restored_marks=[to_mark(mark) for mark in candidate.restored_marks],
    )


def to_portrait(portrait: Portrait) -> res.Portrait:
    """Convert a portrait."""
    error = None if portrait.error is None else job_pb2.JobError(**portrait.error.model_dump())
    return res.Portrait(
        name=portrait.name,
        spec=to_spec(portrait.spec),
        state=job_pb2.JobState.Value(f"JOB_STATE_{portrait.state.value}"),
        stage=to_stage(portrait.stage),
        progress=portrait.progress,
        remaining_time=to_duration(portrait.remaining_s),
        candidates=[to_candidate(candidate) for candidate in portrait.candidates],
        prompt=portrait.prompt,
        notices=portrait.notices,
        error=error,
        stage_times=[
            res.StageTime(stage=to_stage(item.stage), duration=to_duration(item.seconds))
            for item in portrait.stage_times
        ],
        create_time=to_time(portrait.create_time),
        start_time=to_time(portrait.start_time),
        end_time=to_time(portrait.end_time),
        identity_gate=portrait.identity_gate,
        used_adapter=portrait.used_adapter,
    )
