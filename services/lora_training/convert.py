"""Translates between protobuf messages and the domain; pure functions, no rules."""

from __future__ import annotations

import hashlib
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from likeness.common.v1 import face_pb2, image_pb2, job_pb2
from likeness.lora_training.v1 import lora_training_pb2 as pb

from services.lora_training.domain.job import JobFailure, JobResult, JobState, TrainingJob
from services.lora_training.domain.order import PhotoOrder, Points, TrainingOrder
from services.lora_training.domain.recipe import Recipe
from services.lora_training.engine.registry import JobUpdate
from shared.artifacts import ArtifactRef
from shared.progress import ProgressEvent

# Field of TrainingOptions -> field of Recipe.
_OPTIONS = {
    "rank": "rank",
    "alpha": "alpha",
    "step_count": "steps",
    "batch_size": "batch_size",
    "learning_rate": "learning_rate",
    "initial_adapter": "initial_adapter",
}


def order_from_proto(request: pb.CreateTrainingJobRequest) -> TrainingOrder:
    """Return what the request orders."""
    body = pb.CreateTrainingJobRequest()
    body.CopyFrom(request)
    body.ClearField("request_id")
    return TrainingOrder(
        subject=request.subject,
        base_model=request.base_model,
        caption=request.caption,
        photos=tuple(_photo(photo) for photo in request.photos),
        overrides=_overrides(request.options),
        request_id=request.request_id,
        body_sha256=hashlib.sha256(body.SerializeToString(deterministic=True)).hexdigest(),
    )


def _photo(photo: pb.TrainingPhoto) -> PhotoOrder:
    image = photo.image
    is_inline = image.WhichOneof("source") == "data"
    has_embedding = photo.HasField("embedding")
    return PhotoOrder(
        data=image.data if is_inline else None,
        artifact_uri="" if is_inline else image.artifact.uri,
        name=image.name,
        caption=photo.caption,
        landmarks5_px=_points(photo.landmarks) if photo.HasField("landmarks") else None,
        embedding=tuple(photo.embedding.values) if has_embedding else None,
    )


def _points(marks: face_pb2.FaceLandmarks) -> Points:
    points = (marks.left_eye, marks.right_eye, marks.nose, marks.mouth_left, marks.mouth_right)
    return tuple((point.x, point.y) for point in points)


def _overrides(options: pb.TrainingOptions) -> dict[str, Any]:
    given = {
        recipe_field: getattr(options, field)
        for field, recipe_field in _OPTIONS.items()
        if options.HasField(field)
    }
    return {**given, "seed": options.seed}


def options_to_proto(recipe: Recipe) -> pb.TrainingOptions:
    """Return the options of a recipe, all set."""
    values = {field: getattr(recipe, recipe_field) for field, recipe_field in _OPTIONS.items()}
    return pb.TrainingOptions(**values, seed=recipe.seed)


def job_to_proto(job: TrainingJob) -> pb.TrainingJob:
    """Return the resource of a job."""
    message = pb.TrainingJob(
        name=job.name,
        subject=job.subject,
        state=_state(job.state),
        options=options_to_proto(job.recipe),
        steps_done=job.steps_done,
        loss=job.loss,
        create_time=_timestamp(job.created_at),
    )
    if job.remaining_s is not None:
        message.remaining_time.CopyFrom(_duration(job.remaining_s))
    if job.started_at is not None:
        message.start_time.CopyFrom(_timestamp(job.started_at))
    if job.ended_at is not None:
        message.end_time.CopyFrom(_timestamp(job.ended_at))
    if job.result is not None:
        message.adapter.CopyFrom(_adapter(job.result, job.recipe))
    if job.failure is not None:
        message.error.CopyFrom(_error(job.failure))
    return message


def event_to_proto(event: ProgressEvent[JobUpdate], job: TrainingJob, now: float) -> pb.TrainingJobEvent:
    """Return the message of an event; a heartbeat carries the job as it is now."""
    update = event.payload or JobUpdate(job, now)
    return pb.TrainingJobEvent(
        sequence=event.sequence,
        resume_token=event.resume_token,
        time=_timestamp(update.time_s),
        training_job=job_to_proto(update.job),
        is_heartbeat=event.payload is None,
    )


def _adapter(result: JobResult, recipe: Recipe) -> pb.TrainedAdapter:
    return pb.TrainedAdapter(
        artifact=artifact_to_proto(result.artifact),
        rank=recipe.rank,
        alpha=recipe.alpha,
        base_model_digest=result.base_model_digest,
        final_loss=result.final_loss,
        step_count=recipe.steps,
    )


def artifact_to_proto(ref: ArtifactRef) -> image_pb2.ArtifactRef:
    """Return the message of an artifact reference."""
    return image_pb2.ArtifactRef(
        uri=ref.uri, sha256=ref.sha256, size_bytes=ref.size_bytes, media_type=ref.media_type
    )


def _error(failure: JobFailure) -> job_pb2.JobError:
    return job_pb2.JobError(reason=failure.reason, message=failure.message, metadata=failure.metadata)


def _state(state: JobState) -> str:
    return f"JOB_STATE_{state}"


def _timestamp(seconds: float) -> Timestamp:
    message = Timestamp()
    message.FromNanoseconds(round(seconds * 1e9))
    return message


def _duration(seconds: float) -> Duration:
    message = Duration()
    message.FromNanoseconds(round(seconds * 1e9))
    return message
