import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from likeness.common.v1 import image_pb2 as _image_pb2
from likeness.orchestrator.v1 import resources_pb2 as _resources_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateIdentityRequest(_message.Message):
    __slots__ = ("display_name", "photos", "request_id")
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    PHOTOS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    photos: _containers.RepeatedCompositeFieldContainer[_image_pb2.Image]
    request_id: str
    def __init__(self, display_name: _Optional[str] = ..., photos: _Optional[_Iterable[_Union[_image_pb2.Image, _Mapping]]] = ..., request_id: _Optional[str] = ...) -> None: ...

class UploadHeader(_message.Message):
    __slots__ = ("display_name", "request_id")
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    request_id: str
    def __init__(self, display_name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class UploadPhotoStart(_message.Message):
    __slots__ = ("display_name", "size_bytes", "sha256")
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    size_bytes: int
    sha256: str
    def __init__(self, display_name: _Optional[str] = ..., size_bytes: _Optional[int] = ..., sha256: _Optional[str] = ...) -> None: ...

class UploadIdentityRequest(_message.Message):
    __slots__ = ("header", "photo", "chunk")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    PHOTO_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    header: UploadHeader
    photo: UploadPhotoStart
    chunk: bytes
    def __init__(self, header: _Optional[_Union[UploadHeader, _Mapping]] = ..., photo: _Optional[_Union[UploadPhotoStart, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class GetIdentityRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListIdentitiesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListIdentitiesResponse(_message.Message):
    __slots__ = ("identities", "next_page_token")
    IDENTITIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    identities: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Identity]
    next_page_token: str
    def __init__(self, identities: _Optional[_Iterable[_Union[_resources_pb2.Identity, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteIdentityRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteIdentityResponse(_message.Message):
    __slots__ = ("photo_count", "embedding_count", "adapter_count", "training_job_count", "portrait_count", "artifact_count", "delete_time")
    PHOTO_COUNT_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_COUNT_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_COUNT_FIELD_NUMBER: _ClassVar[int]
    TRAINING_JOB_COUNT_FIELD_NUMBER: _ClassVar[int]
    PORTRAIT_COUNT_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_COUNT_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    photo_count: int
    embedding_count: int
    adapter_count: int
    training_job_count: int
    portrait_count: int
    artifact_count: int
    delete_time: _timestamp_pb2.Timestamp
    def __init__(self, photo_count: _Optional[int] = ..., embedding_count: _Optional[int] = ..., adapter_count: _Optional[int] = ..., training_job_count: _Optional[int] = ..., portrait_count: _Optional[int] = ..., artifact_count: _Optional[int] = ..., delete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CreatePortraitRequest(_message.Message):
    __slots__ = ("spec", "request_id")
    SPEC_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    spec: _resources_pb2.PortraitSpec
    request_id: str
    def __init__(self, spec: _Optional[_Union[_resources_pb2.PortraitSpec, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class GetPortraitRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListPortraitsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "identity")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    identity: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., identity: _Optional[str] = ...) -> None: ...

class ListPortraitsResponse(_message.Message):
    __slots__ = ("portraits", "next_page_token")
    PORTRAITS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    portraits: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Portrait]
    next_page_token: str
    def __init__(self, portraits: _Optional[_Iterable[_Union[_resources_pb2.Portrait, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CancelPortraitRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeletePortraitRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeletePortraitResponse(_message.Message):
    __slots__ = ("artifact_count",)
    ARTIFACT_COUNT_FIELD_NUMBER: _ClassVar[int]
    artifact_count: int
    def __init__(self, artifact_count: _Optional[int] = ...) -> None: ...

class WatchPortraitRequest(_message.Message):
    __slots__ = ("name", "resume_token")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    name: str
    resume_token: str
    def __init__(self, name: _Optional[str] = ..., resume_token: _Optional[str] = ...) -> None: ...

class StepProgress(_message.Message):
    __slots__ = ("stage", "steps_done", "step_count", "candidate_id", "detail", "preview")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    STEPS_DONE_FIELD_NUMBER: _ClassVar[int]
    STEP_COUNT_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_ID_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    stage: _resources_pb2.Stage
    steps_done: int
    step_count: int
    candidate_id: str
    detail: str
    preview: _image_pb2.Image
    def __init__(self, stage: _Optional[_Union[_resources_pb2.Stage, str]] = ..., steps_done: _Optional[int] = ..., step_count: _Optional[int] = ..., candidate_id: _Optional[str] = ..., detail: _Optional[str] = ..., preview: _Optional[_Union[_image_pb2.Image, _Mapping]] = ...) -> None: ...

class CandidateProgress(_message.Message):
    __slots__ = ("candidate", "stage", "thumbnail")
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    THUMBNAIL_FIELD_NUMBER: _ClassVar[int]
    candidate: _resources_pb2.Candidate
    stage: _resources_pb2.Stage
    thumbnail: _image_pb2.Image
    def __init__(self, candidate: _Optional[_Union[_resources_pb2.Candidate, _Mapping]] = ..., stage: _Optional[_Union[_resources_pb2.Stage, str]] = ..., thumbnail: _Optional[_Union[_image_pb2.Image, _Mapping]] = ...) -> None: ...

class PortraitEvent(_message.Message):
    __slots__ = ("sequence", "resume_token", "time", "portrait", "step", "candidate")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    PORTRAIT_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    resume_token: str
    time: _timestamp_pb2.Timestamp
    portrait: _resources_pb2.Portrait
    step: StepProgress
    candidate: CandidateProgress
    def __init__(self, sequence: _Optional[int] = ..., resume_token: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., portrait: _Optional[_Union[_resources_pb2.Portrait, _Mapping]] = ..., step: _Optional[_Union[StepProgress, _Mapping]] = ..., candidate: _Optional[_Union[CandidateProgress, _Mapping]] = ...) -> None: ...

class ListStylesRequest(_message.Message):
    __slots__ = ("omit_previews",)
    OMIT_PREVIEWS_FIELD_NUMBER: _ClassVar[int]
    omit_previews: bool
    def __init__(self, omit_previews: _Optional[bool] = ...) -> None: ...

class ListStylesResponse(_message.Message):
    __slots__ = ("styles",)
    STYLES_FIELD_NUMBER: _ClassVar[int]
    styles: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Style]
    def __init__(self, styles: _Optional[_Iterable[_Union[_resources_pb2.Style, _Mapping]]] = ...) -> None: ...

class GetStyleRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DownloadArtifactRequest(_message.Message):
    __slots__ = ("uri",)
    URI_FIELD_NUMBER: _ClassVar[int]
    uri: str
    def __init__(self, uri: _Optional[str] = ...) -> None: ...

class DownloadArtifactResponse(_message.Message):
    __slots__ = ("chunk", "size_bytes")
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    size_bytes: int
    def __init__(self, chunk: _Optional[bytes] = ..., size_bytes: _Optional[int] = ...) -> None: ...
