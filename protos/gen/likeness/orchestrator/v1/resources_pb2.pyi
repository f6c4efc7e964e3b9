import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from likeness.common.v1 import face_pb2 as _face_pb2
from likeness.common.v1 import image_pb2 as _image_pb2
from likeness.common.v1 import job_pb2 as _job_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class IdentityMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IDENTITY_MODE_UNSPECIFIED: _ClassVar[IdentityMode]
    IDENTITY_MODE_TRAIN: _ClassVar[IdentityMode]
    IDENTITY_MODE_TRAIN_FREE: _ClassVar[IdentityMode]

class Stage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STAGE_UNSPECIFIED: _ClassVar[Stage]
    STAGE_ANALYSE: _ClassVar[Stage]
    STAGE_TRAIN: _ClassVar[Stage]
    STAGE_GENERATE: _ClassVar[Stage]
    STAGE_FUSE: _ClassVar[Stage]
    STAGE_RANK: _ClassVar[Stage]
    STAGE_STORE: _ClassVar[Stage]

class StyleAvailability(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STYLE_AVAILABILITY_UNSPECIFIED: _ClassVar[StyleAvailability]
    STYLE_AVAILABILITY_AVAILABLE: _ClassVar[StyleAvailability]
    STYLE_AVAILABILITY_UNAVAILABLE: _ClassVar[StyleAvailability]
IDENTITY_MODE_UNSPECIFIED: IdentityMode
IDENTITY_MODE_TRAIN: IdentityMode
IDENTITY_MODE_TRAIN_FREE: IdentityMode
STAGE_UNSPECIFIED: Stage
STAGE_ANALYSE: Stage
STAGE_TRAIN: Stage
STAGE_GENERATE: Stage
STAGE_FUSE: Stage
STAGE_RANK: Stage
STAGE_STORE: Stage
STYLE_AVAILABILITY_UNSPECIFIED: StyleAvailability
STYLE_AVAILABILITY_AVAILABLE: StyleAvailability
STYLE_AVAILABILITY_UNAVAILABLE: StyleAvailability

class Identity(_message.Message):
    __slots__ = ("name", "display_name", "photos", "attributes", "adapter", "create_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    PHOTOS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    photos: _containers.RepeatedCompositeFieldContainer[IdentityPhoto]
    attributes: _containers.RepeatedCompositeFieldContainer[_face_pb2.FaceAttribute]
    adapter: _image_pb2.ArtifactRef
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., photos: _Optional[_Iterable[_Union[IdentityPhoto, _Mapping]]] = ..., attributes: _Optional[_Iterable[_Union[_face_pb2.FaceAttribute, _Mapping]]] = ..., adapter: _Optional[_Union[_image_pb2.ArtifactRef, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class IdentityPhoto(_message.Message):
    __slots__ = ("display_name", "artifact", "is_accepted", "refusals", "warnings", "similarity_to_set", "applied_rotation_degrees")
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_FIELD_NUMBER: _ClassVar[int]
    IS_ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_TO_SET_FIELD_NUMBER: _ClassVar[int]
    APPLIED_ROTATION_DEGREES_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    artifact: _image_pb2.ArtifactRef
    is_accepted: bool
    refusals: _containers.RepeatedCompositeFieldContainer[_face_pb2.Refusal]
    warnings: _containers.RepeatedCompositeFieldContainer[_face_pb2.Refusal]
    similarity_to_set: float
    applied_rotation_degrees: int
    def __init__(self, display_name: _Optional[str] = ..., artifact: _Optional[_Union[_image_pb2.ArtifactRef, _Mapping]] = ..., is_accepted: _Optional[bool] = ..., refusals: _Optional[_Iterable[_Union[_face_pb2.Refusal, _Mapping]]] = ..., warnings: _Optional[_Iterable[_Union[_face_pb2.Refusal, _Mapping]]] = ..., similarity_to_set: _Optional[float] = ..., applied_rotation_degrees: _Optional[int] = ...) -> None: ...

class Finishing(_message.Message):
    __slots__ = ("fuse", "restore_marks", "restore_texture", "enhance")
    FUSE_FIELD_NUMBER: _ClassVar[int]
    RESTORE_MARKS_FIELD_NUMBER: _ClassVar[int]
    RESTORE_TEXTURE_FIELD_NUMBER: _ClassVar[int]
    ENHANCE_FIELD_NUMBER: _ClassVar[int]
    fuse: bool
    restore_marks: bool
    restore_texture: bool
    enhance: bool
    def __init__(self, fuse: _Optional[bool] = ..., restore_marks: _Optional[bool] = ..., restore_texture: _Optional[bool] = ..., enhance: _Optional[bool] = ...) -> None: ...

class PortraitSpec(_message.Message):
    __slots__ = ("identity", "style", "portrait_count", "candidate_count", "mode", "prompt", "negative_prompt", "seed", "size_px", "finishing")
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    STYLE_FIELD_NUMBER: _ClassVar[int]
    PORTRAIT_COUNT_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_PROMPT_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    SIZE_PX_FIELD_NUMBER: _ClassVar[int]
    FINISHING_FIELD_NUMBER: _ClassVar[int]
    identity: str
    style: str
    portrait_count: int
    candidate_count: int
    mode: IdentityMode
    prompt: str
    negative_prompt: str
    seed: int
    size_px: int
    finishing: Finishing
    def __init__(self, identity: _Optional[str] = ..., style: _Optional[str] = ..., portrait_count: _Optional[int] = ..., candidate_count: _Optional[int] = ..., mode: _Optional[_Union[IdentityMode, str]] = ..., prompt: _Optional[str] = ..., negative_prompt: _Optional[str] = ..., seed: _Optional[int] = ..., size_px: _Optional[int] = ..., finishing: _Optional[_Union[Finishing, _Mapping]] = ...) -> None: ...

class StageTime(_message.Message):
    __slots__ = ("stage", "duration")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    stage: Stage
    duration: _duration_pb2.Duration
    def __init__(self, stage: _Optional[_Union[Stage, str]] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Edit(_message.Message):
    __slots__ = ("step", "is_kept", "reason", "similarity_before", "similarity_after", "quality_before", "quality_after", "detail")
    STEP_FIELD_NUMBER: _ClassVar[int]
    IS_KEPT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_BEFORE_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_AFTER_FIELD_NUMBER: _ClassVar[int]
    QUALITY_BEFORE_FIELD_NUMBER: _ClassVar[int]
    QUALITY_AFTER_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    step: str
    is_kept: bool
    reason: str
    similarity_before: float
    similarity_after: float
    quality_before: float
    quality_after: float
    detail: str
    def __init__(self, step: _Optional[str] = ..., is_kept: _Optional[bool] = ..., reason: _Optional[str] = ..., similarity_before: _Optional[float] = ..., similarity_after: _Optional[float] = ..., quality_before: _Optional[float] = ..., quality_after: _Optional[float] = ..., detail: _Optional[str] = ...) -> None: ...

class PlacedMark(_message.Message):
    __slots__ = ("kind", "center", "radius_px", "confidence")
    KIND_FIELD_NUMBER: _ClassVar[int]
    CENTER_FIELD_NUMBER: _ClassVar[int]
    RADIUS_PX_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    kind: str
    center: _image_pb2.Point
    radius_px: float
    confidence: float
    def __init__(self, kind: _Optional[str] = ..., center: _Optional[_Union[_image_pb2.Point, _Mapping]] = ..., radius_px: _Optional[float] = ..., confidence: _Optional[float] = ...) -> None: ...

class Candidate(_message.Message):
    __slots__ = ("candidate_id", "artifact", "seed", "rank", "score", "best_similarity", "mean_similarity", "rejection", "manifest", "is_winner", "edits", "restored_marks")
    CANDIDATE_ID_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    BEST_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    MEAN_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    REJECTION_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_FIELD_NUMBER: _ClassVar[int]
    IS_WINNER_FIELD_NUMBER: _ClassVar[int]
    EDITS_FIELD_NUMBER: _ClassVar[int]
    RESTORED_MARKS_FIELD_NUMBER: _ClassVar[int]
    candidate_id: str
    artifact: _image_pb2.ArtifactRef
    seed: int
    rank: int
    score: float
    best_similarity: float
    mean_similarity: float
    rejection: _face_pb2.Refusal
    manifest: _image_pb2.ArtifactRef
    is_winner: bool
    edits: _containers.RepeatedCompositeFieldContainer[Edit]
    restored_marks: _containers.RepeatedCompositeFieldContainer[PlacedMark]
    def __init__(self, candidate_id: _Optional[str] = ..., artifact: _Optional[_Union[_image_pb2.ArtifactRef, _Mapping]] = ..., seed: _Optional[int] = ..., rank: _Optional[int] = ..., score: _Optional[float] = ..., best_similarity: _Optional[float] = ..., mean_similarity: _Optional[float] = ..., rejection: _Optional[_Union[_face_pb2.Refusal, _Mapping]] = ..., manifest: _Optional[_Union[_image_pb2.ArtifactRef, _Mapping]] = ..., is_winner: _Optional[bool] = ..., edits: _Optional[_Iterable[_Union[Edit, _Mapping]]] = ..., restored_marks: _Optional[_Iterable[_Union[PlacedMark, _Mapping]]] = ...) -> None: ...

class Portrait(_message.Message):
    __slots__ = ("name", "spec", "state", "stage", "progress", "remaining_time", "candidates", "prompt", "notices", "error", "stage_times", "create_time", "start_time", "end_time", "identity_gate", "used_adapter")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    REMAINING_TIME_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    STAGE_TIMES_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_GATE_FIELD_NUMBER: _ClassVar[int]
    USED_ADAPTER_FIELD_NUMBER: _ClassVar[int]
    name: str
    spec: PortraitSpec
    state: _job_pb2.JobState
    stage: Stage
    progress: float
    remaining_time: _duration_pb2.Duration
    candidates: _containers.RepeatedCompositeFieldContainer[Candidate]
    prompt: str
    notices: _containers.RepeatedScalarFieldContainer[str]
    error: _job_pb2.JobError
    stage_times: _containers.RepeatedCompositeFieldContainer[StageTime]
    create_time: _timestamp_pb2.Timestamp
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    identity_gate: float
    used_adapter: bool
    def __init__(self, name: _Optional[str] = ..., spec: _Optional[_Union[PortraitSpec, _Mapping]] = ..., state: _Optional[_Union[_job_pb2.JobState, str]] = ..., stage: _Optional[_Union[Stage, str]] = ..., progress: _Optional[float] = ..., remaining_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., candidates: _Optional[_Iterable[_Union[Candidate, _Mapping]]] = ..., prompt: _Optional[str] = ..., notices: _Optional[_Iterable[str]] = ..., error: _Optional[_Union[_job_pb2.JobError, _Mapping]] = ..., stage_times: _Optional[_Iterable[_Union[StageTime, _Mapping]]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., identity_gate: _Optional[float] = ..., used_adapter: _Optional[bool] = ...) -> None: ...

class Style(_message.Message):
    __slots__ = ("name", "display_name", "description", "version", "sha256", "licence", "prompt_template", "adapter", "effect", "preview", "group", "group_title", "tags", "availability", "unavailable_reason", "adapters")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    GROUP_TITLE_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    AVAILABILITY_FIELD_NUMBER: _ClassVar[int]
    UNAVAILABLE_REASON_FIELD_NUMBER: _ClassVar[int]
    ADAPTERS_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    description: str
    version: int
    sha256: str
    licence: str
    prompt_template: str
    adapter: str
    effect: str
    preview: _image_pb2.Image
    group: str
    group_title: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    availability: StyleAvailability
    unavailable_reason: str
    adapters: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., description: _Optional[str] = ..., version: _Optional[int] = ..., sha256: _Optional[str] = ..., licence: _Optional[str] = ..., prompt_template: _Optional[str] = ..., adapter: _Optional[str] = ..., effect: _Optional[str] = ..., preview: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., group: _Optional[str] = ..., group_title: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., availability: _Optional[_Union[StyleAvailability, str]] = ..., unavailable_reason: _Optional[str] = ..., adapters: _Optional[_Iterable[str]] = ...) -> None: ...
