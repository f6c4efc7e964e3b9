"""Between messages and domain: pure functions, no rules."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from google.protobuf.duration_pb2 import Duration
from likeness.common.v1 import image_pb2
from likeness.diffusion.v1 import diffusion_pb2 as pb
from numpy.typing import NDArray

from services.diffusion.domain.events import Generated, Preview, Progress, Queued, StepDone
from services.diffusion.domain.model import Model
from services.diffusion.domain.programs import TECHNIQUES
from services.diffusion.domain.request import (
    DEFAULT_GUIDANCE_SCALE,
    DEFAULT_STEP_COUNT,
    AdapterChoice,
    ControlChoice,
    GenerationRequest,
    IdentityChoice,
    Injection,
    SourceChoice,
)
from shared.images import encode_png

Image = NDArray[np.uint8]

_STRENGTH, _STRENGTH_WITH_MASK = 0.8, 1.0
_FEATHER_PX = 16


@dataclass(frozen=True, eq=False)
class Pictures:
    """The decoded pictures of a request, RGB uint8 [H, W, 3]; each is None where the message has none."""

    source: Image | None = None
    mask: Image | None = None
    control: Image | None = None


def from_proto(message: pb.GenerateRequest, pictures: Pictures = Pictures()) -> GenerationRequest:
    """The request with the proto's defaults filled in; *pictures* are those of *message*."""
    return GenerationRequest(
        prompt=message.prompt,
        negative_prompt=message.negative_prompt,
        model=message.model,
        width_px=_optional(message, "width_px"),
        height_px=_optional(message, "height_px"),
        step_count=_optional(message, "step_count") or DEFAULT_STEP_COUNT,
        guidance_scale=message.guidance_scale
        if message.HasField("guidance_scale")
        else DEFAULT_GUIDANCE_SCALE,
        identity_guidance_scale=message.identity_guidance_scale
        if message.HasField("identity_guidance_scale")
        else None,
        guidance_interval=_interval(message.guidance_interval),
        seed=message.seed,
        sampler=message.sampler,
        adapters=tuple(_adapter(use) for use in message.adapters),
        identity=_identity(message.identity) if message.HasField("identity") else None,
        technique=message.technique or _implied_technique(message),
        preview_interval_steps=message.preview_interval_steps,
        source=_source(message.source, pictures),
        control=None if pictures.control is None else _control(message.control, pictures.control),
        injection=_injection(message.late_injection) if message.HasField("late_injection") else None,
        may_start_without_adapters=message.start_without_adapters,
    )


def _implied_technique(message: pb.GenerateRequest) -> str:
    if message.HasField("source"):
        return "inpaint" if message.source.HasField("mask") else "image_to_image"
    return "late_injection" if message.HasField("late_injection") else ""


def _interval(shares: pb.GuidanceInterval) -> tuple[float, float]:
    return _share(shares.start_share), _share(shares.end_share) if shares.HasField("end_share") else 1.0


def _source(message: pb.SourceImage, pictures: Pictures) -> SourceChoice | None:
    if pictures.source is None:
        return None
    strength = _STRENGTH if pictures.mask is None else _STRENGTH_WITH_MASK
    return SourceChoice(
        image=pictures.source,
        strength=_share(message.strength) if message.HasField("strength") else strength,
        mask=pictures.mask,
        feather_px=message.feather_px if message.HasField("feather_px") else _FEATHER_PX,
    )


def _control(message: pb.ControlImage, image: Image) -> ControlChoice:
    return ControlChoice(image, message.scale if message.HasField("scale") else 1.0)


def _injection(message: pb.LateInjection) -> Injection:
    stated = {field.name: value for field, value in message.ListFields()}
    if "start_share" in stated:
        stated["start_share"] = _share(message.start_share)
    return Injection(**stated)


def _share(value: float) -> float:
    """The decimal that the sender wrote: 0.7 is a little less in float32, and 10 steps of it would be 6."""
    return float(str(np.float32(value)))


def _optional(message: pb.GenerateRequest, field: str) -> int | None:
    return int(getattr(message, field)) if message.HasField(field) else None


def _adapter(use: pb.AdapterUse) -> AdapterChoice:
    return AdapterChoice(
        name=use.name,
        uri=use.artifact.uri,
        sha256=use.artifact.sha256,
        weight=use.weight if use.HasField("weight") else 1.0,
        of_person=use.of_person,
    )


def _identity(message: pb.IdentityConditioning) -> IdentityChoice:
    embeddings = tuple(np.array(embedding.values, dtype=np.float32) for embedding in message.embeddings)
    return IdentityChoice(embeddings, message.scale if message.HasField("scale") else 1.0)


def progress_to_proto(event: Progress) -> pb.GenerateResponse:
    """One event before the picture."""
    match event:
        case Queued(ahead_count):
            return pb.GenerateResponse(queued=pb.Queued(ahead_count=ahead_count))
        case StepDone(step, step_count, batch_row_count):
            done = pb.StepDone(step=step, step_count=step_count, batch_row_count=batch_row_count)
            return pb.GenerateResponse(step=done)
        case Preview(step, image):
            png = image_pb2.Image(data=encode_png(image))
            return pb.GenerateResponse(preview=pb.Preview(step=step, image=png))


def generated_to_proto(event: Generated, image: image_pb2.Image) -> pb.GenerateResponse:
    """The last event, its picture already encoded as *image*."""
    return pb.GenerateResponse(
        image=pb.GeneratedImage(
            image=image,
            seed=event.seed,
            model_digest=event.model_sha256,
            adapter_digests=event.adapter_sha256s,
            queue_time=_duration(event.picture.queue_time_s),
            denoise_time=_duration(event.picture.denoise_time_s),
            decode_time=_duration(event.picture.decode_time_s),
            prepare_time=_duration(event.prepare_time_s),
            batch_wait_time=_duration(event.picture.batch_wait_time_s),
            compute_time=_duration(event.picture.compute_time_s),
            adapter_first_steps=event.adapter_first_steps,
            unfamiliar_words=event.unfamiliar_words,
        )
    )


def models_to_proto(models: Sequence[Model]) -> pb.ListModelsResponse:
    """The listing; the first model is the default. Blocking: reads the shipped adapters on first use."""
    samplers = dict.fromkeys(name for model in models for name in model.samplers.names)
    return pb.ListModelsResponse(
        models=[_model(model, is_default=index == 0) for index, model in enumerate(models)],
        samplers=samplers,
        techniques=TECHNIQUES,
    )


def _model(model: Model, *, is_default: bool) -> pb.Model:
    width, height = model.info.size_px
    return pb.Model(
        name=model.info.name,
        digest=model.info.sha256,
        width_px=width,
        height_px=height,
        max_prompt_tokens=model.text.max_prompt_tokens,
        supports_identity=model.identity is not None,
        identity_dimension=model.identity.dimension if model.identity else 0,
        adapters=[
            pb.AdapterInfo(name=info.name, rank=info.rank, size_bytes=info.size_bytes, sha256=info.sha256)
            for info in model.adapters.shipped()
        ],
        backend=model.unet.description,
        licence=model.info.licence,
        is_default=is_default,
        supports_control=model.supports_control,
        region_finder=model.regions.description,
    )


def _duration(seconds: float) -> Duration:
    duration = Duration()
    duration.FromNanoseconds(round(max(0.0, seconds) * 1e9))
    return duration
