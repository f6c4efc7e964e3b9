import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from likeness.common.v1 import face_pb2 as _face_pb2
from likeness.common.v1 import image_pb2 as _image_pb2
from likeness.common.v1 import job_pb2 as _job_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TrainingPhoto(_message.Message):
    __slots__ = ("image", "landmarks", "caption", "embedding")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    LANDMARKS_FIELD_NUMBER: _ClassVar[int]
    CAPTION_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    image: _image_pb2.Image
    landmarks: _face_pb2.FaceLandmarks
    caption: str
    embedding: _image_pb2.Embedding
    def __init__(self, image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., landmarks: _Optional[_Union[_face_pb2.FaceLandmarks, _Mapping]] = ..., caption: _Optional[str] = ..., embedding: _Optional[_Union[_image_pb2.Embedding, _Mapping]] = ...) -> None: ...

class TrainingOptions(_message.Message):
    __slots__ = ("rank", "alpha", "step_count", "batch_size", "learning_rate", "seed", "initial_adapter")
    RANK_FIELD_NUMBER: _ClassVar[int]
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    STEP_COUNT_FIELD_NUMBER: _ClassVar[int]
    BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    LEARNING_RATE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    INITIAL_ADAPTER_FIELD_NUMBER: _ClassVar[int]
    rank: int
    alpha: float
    step_count: int
    batch_size: int
    learning_rate: float
    seed: int
    initial_adapter: str
    def __init__(self, rank: _Optional[int] = ..., alpha: _Optional[float] = ..., step_count: _Optional[int] = ..., batch_size: _Optional[int] = ..., learning_rate: _Optional[float] = ..., seed: _Optional[int] = ..., initial_adapter: _Optional[str] = ...) -> None: ...

class CreateTrainingJobRequest(_message.Message):
    __slots__ = ("subject", "photos", "base_model", "caption", "options", "request_id")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    PHOTOS_FIELD_NUMBER: _ClassVar[int]
    BASE_MODEL_FIELD_NUMBER: _ClassVar[int]
    CAPTION_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    subject: str
    photos: _containers.RepeatedCompositeFieldContainer[TrainingPhoto]
    base_model: str
    caption: str
    options: TrainingOptions
    request_id: str
    def __init__(self, subject: _Optional[str] = ..., photos: _Optional[_Iterable[_Union[TrainingPhoto, _Mapping]]] = ..., base_model: _Optional[str] = ..., caption: _Optional[str] = ..., options: _Optional[_Union[TrainingOptions, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class TrainedAdapter(_message.Message):
    __slots__ = ("artifact", "rank", "alpha", "base_model_digest", "final_loss", "step_count")
    ARTIFACT_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    BASE_MODEL_DIGEST_FIELD_NUMBER: _ClassVar[int]
    FINAL_LOSS_FIELD_NUMBER: _ClassVar[int]
    STEP_COUNT_FIELD_NUMBER: _ClassVar[int]
    artifact: _image_pb2.ArtifactRef
    rank: int
    alpha: float
    base_model_digest: str
    final_loss: float
    step_count: int
    def __init__(self, artifact: _Optional[_Union[_image_pb2.ArtifactRef, _Mapping]] = ..., rank: _Optional[int] = ..., alpha: _Optional[float] = ..., base_model_digest: _Optional[str] = ..., final_loss: _Optional[float] = ..., step_count: _Optional[int] = ...) -> None: ...

class TrainingJob(_message.Message):
    __slots__ = ("name", "subject", "state", "options", "steps_done", "loss", "remaining_time", "adapter", "error", "create_time", "start_time", "end_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    STEPS_DONE_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    REMAINING_TIME_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    subject: str
    state: _job_pb2.JobState
    options: TrainingOptions
    steps_done: int
    loss: float
    remaining_time: _duration_pb2.Duration
    adapter: TrainedAdapter
    error: _job_pb2.JobError
    create_time: _timestamp_pb2.Timestamp
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., subject: _Optional[str] = ..., state: _Optional[_Union[_job_pb2.JobState, str]] = ..., options: _Optional[_Union[TrainingOptions, _Mapping]] = ..., steps_done: _Optional[int] = ..., loss: _Optional[float] = ..., remaining_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., adapter: _Optional[_Union[TrainedAdapter, _Mapping]] = ..., error: _Optional[_Union[_job_pb2.JobError, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetTrainingJobRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListTrainingJobsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "subject")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    subject: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., subject: _Optional[str] = ...) -> None: ...

class ListTrainingJobsResponse(_message.Message):
    __slots__ = ("training_jobs", "next_page_token")
    TRAINING_JOBS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    training_jobs: _containers.RepeatedCompositeFieldContainer[TrainingJob]
    next_page_token: str
    def __init__(self, training_jobs: _Optional[_Iterable[_Union[TrainingJob, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CancelTrainingJobRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteTrainingJobRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteTrainingJobResponse(_message.Message):
    __slots__ = ("checkpoint_count", "artifact_count")
    CHECKPOINT_COUNT_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_COUNT_FIELD_NUMBER: _ClassVar[int]
    checkpoint_count: int
    artifact_count: int
    def __init__(self, checkpoint_count: _Optional[int] = ..., artifact_count: _Optional[int] = ...) -> None: ...

class WatchTrainingJobRequest(_message.Message):
    __slots__ = ("name", "resume_token")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    name: str
    resume_token: str
    def __init__(self, name: _Optional[str] = ..., resume_token: _Optional[str] = ...) -> None: ...

class TrainingJobEvent(_message.Message):
    __slots__ = ("sequence", "resume_token", "time", "training_job", "is_heartbeat")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    TRAINING_JOB_FIELD_NUMBER: _ClassVar[int]
    IS_HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    resume_token: str
    time: _timestamp_pb2.Timestamp
    training_job: TrainingJob
    is_heartbeat: bool
    def __init__(self, sequence: _Optional[int] = ..., resume_token: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., training_job: _Optional[_Union[TrainingJob, _Mapping]] = ..., is_heartbeat: _Optional[bool] = ...) -> None: ...
