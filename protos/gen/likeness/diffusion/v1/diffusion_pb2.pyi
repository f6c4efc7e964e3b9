import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from likeness.common.v1 import image_pb2 as _image_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AdapterUse(_message.Message):
    __slots__ = ("name", "artifact", "weight", "of_person")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    OF_PERSON_FIELD_NUMBER: _ClassVar[int]
    name: str
    artifact: _image_pb2.ArtifactRef
    weight: float
    of_person: bool
    def __init__(self, name: _Optional[str] = ..., artifact: _Optional[_Union[_image_pb2.ArtifactRef, _Mapping]] = ..., weight: _Optional[float] = ..., of_person: _Optional[bool] = ...) -> None: ...

class IdentityConditioning(_message.Message):
    __slots__ = ("embeddings", "scale")
    EMBEDDINGS_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    embeddings: _containers.RepeatedCompositeFieldContainer[_image_pb2.Embedding]
    scale: float
    def __init__(self, embeddings: _Optional[_Iterable[_Union[_image_pb2.Embedding, _Mapping]]] = ..., scale: _Optional[float] = ...) -> None: ...

class SourceImage(_message.Message):
    __slots__ = ("image", "strength", "mask", "feather_px")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    STRENGTH_FIELD_NUMBER: _ClassVar[int]
    MASK_FIELD_NUMBER: _ClassVar[int]
    FEATHER_PX_FIELD_NUMBER: _ClassVar[int]
    image: _image_pb2.Image
    strength: float
    mask: _image_pb2.Image
    feather_px: int
    def __init__(self, image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., strength: _Optional[float] = ..., mask: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., feather_px: _Optional[int] = ...) -> None: ...

class ControlImage(_message.Message):
    __slots__ = ("image", "scale")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    image: _image_pb2.Image
    scale: float
    def __init__(self, image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., scale: _Optional[float] = ...) -> None: ...

class GuidanceInterval(_message.Message):
    __slots__ = ("start_share", "end_share")
    START_SHARE_FIELD_NUMBER: _ClassVar[int]
    END_SHARE_FIELD_NUMBER: _ClassVar[int]
    start_share: float
    end_share: float
    def __init__(self, start_share: _Optional[float] = ..., end_share: _Optional[float] = ...) -> None: ...

class LateInjection(_message.Message):
    __slots__ = ("start_share", "strength", "feather_px")
    START_SHARE_FIELD_NUMBER: _ClassVar[int]
    STRENGTH_FIELD_NUMBER: _ClassVar[int]
    FEATHER_PX_FIELD_NUMBER: _ClassVar[int]
    start_share: float
    strength: float
    feather_px: int
    def __init__(self, start_share: _Optional[float] = ..., strength: _Optional[float] = ..., feather_px: _Optional[int] = ...) -> None: ...

class GenerateRequest(_message.Message):
    __slots__ = ("model", "prompt", "negative_prompt", "width_px", "height_px", "step_count", "guidance_scale", "seed", "sampler", "adapters", "identity", "technique", "preview_interval_steps", "source", "control", "identity_guidance_scale", "guidance_interval", "late_injection", "start_without_adapters")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_PROMPT_FIELD_NUMBER: _ClassVar[int]
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    STEP_COUNT_FIELD_NUMBER: _ClassVar[int]
    GUIDANCE_SCALE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    SAMPLER_FIELD_NUMBER: _ClassVar[int]
    ADAPTERS_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    TECHNIQUE_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_INTERVAL_STEPS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CONTROL_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_GUIDANCE_SCALE_FIELD_NUMBER: _ClassVar[int]
    GUIDANCE_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    LATE_INJECTION_FIELD_NUMBER: _ClassVar[int]
    START_WITHOUT_ADAPTERS_FIELD_NUMBER: _ClassVar[int]
    model: str
    prompt: str
    negative_prompt: str
    width_px: int
    height_px: int
    step_count: int
    guidance_scale: float
    seed: int
    sampler: str
    adapters: _containers.RepeatedCompositeFieldContainer[AdapterUse]
    identity: IdentityConditioning
    technique: str
    preview_interval_steps: int
    source: SourceImage
    control: ControlImage
    identity_guidance_scale: float
    guidance_interval: GuidanceInterval
    late_injection: LateInjection
    start_without_adapters: bool
    def __init__(self, model: _Optional[str] = ..., prompt: _Optional[str] = ..., negative_prompt: _Optional[str] = ..., width_px: _Optional[int] = ..., height_px: _Optional[int] = ..., step_count: _Optional[int] = ..., guidance_scale: _Optional[float] = ..., seed: _Optional[int] = ..., sampler: _Optional[str] = ..., adapters: _Optional[_Iterable[_Union[AdapterUse, _Mapping]]] = ..., identity: _Optional[_Union[IdentityConditioning, _Mapping]] = ..., technique: _Optional[str] = ..., preview_interval_steps: _Optional[int] = ..., source: _Optional[_Union[SourceImage, _Mapping]] = ..., control: _Optional[_Union[ControlImage, _Mapping]] = ..., identity_guidance_scale: _Optional[float] = ..., guidance_interval: _Optional[_Union[GuidanceInterval, _Mapping]] = ..., late_injection: _Optional[_Union[LateInjection, _Mapping]] = ..., start_without_adapters: _Optional[bool] = ...) -> None: ...

class Queued(_message.Message):
    __slots__ = ("ahead_count",)
    AHEAD_COUNT_FIELD_NUMBER: _ClassVar[int]
    ahead_count: int
    def __init__(self, ahead_count: _Optional[int] = ...) -> None: ...

class StepDone(_message.Message):
    __slots__ = ("step", "step_count", "batch_row_count")
    STEP_FIELD_NUMBER: _ClassVar[int]
    STEP_COUNT_FIELD_NUMBER: _ClassVar[int]
    BATCH_ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    step: int
    step_count: int
    batch_row_count: int
    def __init__(self, step: _Optional[int] = ..., step_count: _Optional[int] = ..., batch_row_count: _Optional[int] = ...) -> None: ...

class Preview(_message.Message):
    __slots__ = ("step", "image")
    STEP_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    step: int
    image: _image_pb2.Image
    def __init__(self, step: _Optional[int] = ..., image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ...) -> None: ...

class GeneratedImage(_message.Message):
    __slots__ = ("image", "seed", "model_digest", "adapter_digests", "queue_time", "denoise_time", "decode_time", "prepare_time", "batch_wait_time", "compute_time", "adapter_first_steps", "unfamiliar_words")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    MODEL_DIGEST_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_TIME_FIELD_NUMBER: _ClassVar[int]
    DENOISE_TIME_FIELD_NUMBER: _ClassVar[int]
    DECODE_TIME_FIELD_NUMBER: _ClassVar[int]
    PREPARE_TIME_FIELD_NUMBER: _ClassVar[int]
    BATCH_WAIT_TIME_FIELD_NUMBER: _ClassVar[int]
    COMPUTE_TIME_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_FIRST_STEPS_FIELD_NUMBER: _ClassVar[int]
    UNFAMILIAR_WORDS_FIELD_NUMBER: _ClassVar[int]
    image: _image_pb2.Image
    seed: int
    model_digest: str
    adapter_digests: _containers.RepeatedScalarFieldContainer[str]
    queue_time: _duration_pb2.Duration
    denoise_time: _duration_pb2.Duration
    decode_time: _duration_pb2.Duration
    prepare_time: _duration_pb2.Duration
    batch_wait_time: _duration_pb2.Duration
    compute_time: _duration_pb2.Duration
    adapter_first_steps: _containers.RepeatedScalarFieldContainer[int]
    unfamiliar_words: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., seed: _Optional[int] = ..., model_digest: _Optional[str] = ..., adapter_digests: _Optional[_Iterable[str]] = ..., queue_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., denoise_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., decode_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., prepare_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., batch_wait_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., compute_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., adapter_first_steps: _Optional[_Iterable[int]] = ..., unfamiliar_words: _Optional[_Iterable[str]] = ...) -> None: ...

class GenerateResponse(_message.Message):
    __slots__ = ("queued", "step", "preview", "image")
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    queued: Queued
    step: StepDone
    preview: Preview
    image: GeneratedImage
    def __init__(self, queued: _Optional[_Union[Queued, _Mapping]] = ..., step: _Optional[_Union[StepDone, _Mapping]] = ..., preview: _Optional[_Union[Preview, _Mapping]] = ..., image: _Optional[_Union[GeneratedImage, _Mapping]] = ...) -> None: ...

class EvictAdaptersRequest(_message.Message):
    __slots__ = ("uris",)
    URIS_FIELD_NUMBER: _ClassVar[int]
    uris: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, uris: _Optional[_Iterable[str]] = ...) -> None: ...

class EvictAdaptersResponse(_message.Message):
    __slots__ = ("adapter_count", "generation_count")
    ADAPTER_COUNT_FIELD_NUMBER: _ClassVar[int]
    GENERATION_COUNT_FIELD_NUMBER: _ClassVar[int]
    adapter_count: int
    generation_count: int
    def __init__(self, adapter_count: _Optional[int] = ..., generation_count: _Optional[int] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AdapterInfo(_message.Message):
    __slots__ = ("name", "rank", "size_bytes", "sha256")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    name: str
    rank: int
    size_bytes: int
    sha256: str
    def __init__(self, name: _Optional[str] = ..., rank: _Optional[int] = ..., size_bytes: _Optional[int] = ..., sha256: _Optional[str] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ("name", "digest", "width_px", "height_px", "max_prompt_tokens", "supports_identity", "identity_dimension", "adapters", "backend", "licence", "is_default", "supports_control", "region_finder")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    MAX_PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    SUPPORTS_IDENTITY_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_DIMENSION_FIELD_NUMBER: _ClassVar[int]
    ADAPTERS_FIELD_NUMBER: _ClassVar[int]
    BACKEND_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    IS_DEFAULT_FIELD_NUMBER: _ClassVar[int]
    SUPPORTS_CONTROL_FIELD_NUMBER: _ClassVar[int]
    REGION_FINDER_FIELD_NUMBER: _ClassVar[int]
    name: str
    digest: str
    width_px: int
    height_px: int
    max_prompt_tokens: int
    supports_identity: bool
    identity_dimension: int
    adapters: _containers.RepeatedCompositeFieldContainer[AdapterInfo]
    backend: str
    licence: str
    is_default: bool
    supports_control: bool
    region_finder: str
    def __init__(self, name: _Optional[str] = ..., digest: _Optional[str] = ..., width_px: _Optional[int] = ..., height_px: _Optional[int] = ..., max_prompt_tokens: _Optional[int] = ..., supports_identity: _Optional[bool] = ..., identity_dimension: _Optional[int] = ..., adapters: _Optional[_Iterable[_Union[AdapterInfo, _Mapping]]] = ..., backend: _Optional[str] = ..., licence: _Optional[str] = ..., is_default: _Optional[bool] = ..., supports_control: _Optional[bool] = ..., region_finder: _Optional[str] = ...) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models", "samplers", "techniques")
    MODELS_FIELD_NUMBER: _ClassVar[int]
    SAMPLERS_FIELD_NUMBER: _ClassVar[int]
    TECHNIQUES_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    samplers: _containers.RepeatedScalarFieldContainer[str]
    techniques: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ..., samplers: _Optional[_Iterable[str]] = ..., techniques: _Optional[_Iterable[str]] = ...) -> None: ...
