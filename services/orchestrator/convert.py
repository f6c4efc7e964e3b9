"""Between the domain's records and the messages of likeness.orchestrator.v1; pure functions."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from likeness.common.v1 import face_pb2, image_pb2, job_pb2
from likeness.orchestrator.v1 import orchestrator_pb2 as pb
from likeness.orchestrator.v1 import resources_pb2 as res

from services.orchestrator.domain.events import CandidateNews, StepNews
from services.orchestrator.domain.faces import BlobRef, Refusal
from services.orchestrator.domain.identity import Identity, Photo
from services.orchestrator.domain.portrait import Candidate, IdentityMode, Portrait, PortraitSpec, Stage
from services.orchestrator.domain.stores import RequestKey
from services.orchestrator.domain.upload import Chunk, Header, Part, PhotoStart
from services.orchestrator.engine.identities import Receipt
from services.orchestrator.engine.tools import KnownStyle
from services.orchestrator.engine.watch import WatchItem

DEFAULT_PAGE_SIZE = 50
_MODES = {
    IdentityMode.AUTO: res.IDENTITY_MODE_UNSPECIFIED,
    IdentityMode.TRAIN: res.IDENTITY_MODE_TRAIN,
    IdentityMode.TRAIN_FREE: res.IDENTITY_MODE_TRAIN_FREE,
}


def request_key(kind: str, request: Message, request_id: str) -> RequestKey | None:
    """Return the idempotency key of a create request, None where it has no request id."""
    if not request_id:
        return None
    body = hashlib.sha256(request.SerializeToString(deterministic=True))
    return RequestKey(kind, request_id, body.hexdigest())


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
    )


def to_stage(stage: Stage | None) -> Any:
    """Convert a stage."""
    return res.STAGE_UNSPECIFIED if stage is None else res.Stage.Value(f"STAGE_{stage.value}")


def to_time(when: datetime | None) -> Timestamp | None:
    """Convert a time."""
    if when is None:
        return None
    message = Timestamp()
    message.FromDatetime(when)
    return message


def to_duration(seconds: float | None) -> Duration | None:
    """Convert seconds."""
    if seconds is None:
        return None
    message = Duration()
    message.FromNanoseconds(round(seconds * 1e9))
    return message


def to_ref(ref: BlobRef | None) -> image_pb2.ArtifactRef | None:
    """Convert a blob's reference."""
    return None if ref is None else image_pb2.ArtifactRef(**ref.model_dump())


def to_refusal(refusal: Refusal | None) -> face_pb2.Refusal | None:
    """Convert a refusal."""
    return None if refusal is None else face_pb2.Refusal(**refusal.model_dump())


def to_refusals(refusals: Iterable[Refusal]) -> list[face_pb2.Refusal]:
    """Convert refusals."""
    return [face_pb2.Refusal(**refusal.model_dump()) for refusal in refusals]


def to_photo(photo: Photo) -> res.IdentityPhoto:
    """Convert a photo with its verdict."""
    return res.IdentityPhoto(
        display_name=photo.display_name,
        artifact=to_ref(photo.original),
        is_accepted=photo.is_accepted,
        refusals=to_refusals(photo.refusals),
        warnings=to_refusals(photo.warnings),
        similarity_to_set=photo.similarity_to_set,
        applied_rotation_degrees=photo.applied_rotation_degrees,
    )


def to_identity(identity: Identity) -> res.Identity:
    """Convert an identity; its embeddings stay inside."""
    return res.Identity(
        name=identity.name,
        display_name=identity.display_name,
        photos=[to_photo(photo) for photo in identity.photos],
        attributes=[face_pb2.FaceAttribute(**item.model_dump()) for item in identity.attributes],
        adapter=to_ref(identity.adapter.artifact if identity.adapter else None),
        create_time=to_time(identity.create_time),
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


def to_style(known: KnownStyle) -> res.Style:
    """Convert a style."""
    style = known.style
    preview = None if known.preview is None else image_pb2.Image(data=known.preview, name=style.name)
    return res.Style(
        name=f"styles/{style.name}",
        display_name=style.title,
        description=style.description,
        version=style.version,
        sha256=known.sha256,
        licence=style.licence,
        prompt_template=style.prompt,
        adapter=style.adapter.name if style.adapter else "",
        effect=style.effect.name if style.effect else "",
        preview=preview,
    )


def to_event(item: WatchItem) -> pb.PortraitEvent:
    """Convert one message of a watch."""
    event = pb.PortraitEvent(sequence=item.sequence, resume_token=item.resume_token, time=to_time(item.time))
    match item.news:
        case Portrait():
            event.portrait.CopyFrom(to_portrait(item.news))
        case StepNews():
            event.step.CopyFrom(_to_step(item.news))
        case CandidateNews():
            event.candidate.candidate.CopyFrom(to_candidate(item.news.candidate))
            event.candidate.stage = to_stage(item.news.stage)
            if item.thumbnail is not None:
                event.candidate.thumbnail.data = item.thumbnail
    return event


def _to_step(news: StepNews) -> pb.StepProgress:
    message = pb.StepProgress(
        stage=to_stage(news.stage),
        steps_done=news.steps_done,
        step_count=news.step_count,
        candidate_id=news.candidate_id,
        detail=news.detail,
    )
    if news.preview is not None:
        message.preview.data = news.preview
    return message


def to_receipt(receipt: Receipt) -> pb.DeleteIdentityResponse:
    """Convert the receipt of a deletion."""
    return pb.DeleteIdentityResponse(
        photo_count=receipt.photo_count,
        embedding_count=receipt.embedding_count,
        adapter_count=receipt.adapter_count,
        training_job_count=receipt.training_job_count,
        portrait_count=receipt.portrait_count,
        artifact_count=receipt.artifact_count,
        delete_time=to_time(receipt.delete_time),
    )


def from_upload(message: pb.UploadIdentityRequest) -> Part:
    """Convert one message of an upload."""
    match message.WhichOneof("part"):
        case "header":
            return Header(message.header.display_name, message.header.request_id)
        case "photo":
            return PhotoStart(message.photo.display_name, message.photo.size_bytes, message.photo.sha256)
        case _:
            return Chunk(message.chunk)
