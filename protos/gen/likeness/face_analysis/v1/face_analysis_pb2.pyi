from likeness.common.v1 import face_pb2 as _face_pb2
from likeness.common.v1 import image_pb2 as _image_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FaceFeature(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FACE_FEATURE_UNSPECIFIED: _ClassVar[FaceFeature]
    FACE_FEATURE_STRUCTURE: _ClassVar[FaceFeature]
    FACE_FEATURE_MARKS: _ClassVar[FaceFeature]
FACE_FEATURE_UNSPECIFIED: FaceFeature
FACE_FEATURE_STRUCTURE: FaceFeature
FACE_FEATURE_MARKS: FaceFeature

class AnalyzeRequest(_message.Message):
    __slots__ = ("images", "features")
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    images: _containers.RepeatedCompositeFieldContainer[_image_pb2.Image]
    features: _containers.RepeatedScalarFieldContainer[FaceFeature]
    def __init__(self, images: _Optional[_Iterable[_Union[_image_pb2.Image, _Mapping]]] = ..., features: _Optional[_Iterable[_Union[FaceFeature, str]]] = ...) -> None: ...

class AnalyzedImage(_message.Message):
    __slots__ = ("faces", "refusal", "width_px", "height_px", "applied_rotation_degrees")
    FACES_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    APPLIED_ROTATION_DEGREES_FIELD_NUMBER: _ClassVar[int]
    faces: _containers.RepeatedCompositeFieldContainer[_face_pb2.Face]
    refusal: _face_pb2.Refusal
    width_px: int
    height_px: int
    applied_rotation_degrees: int
    def __init__(self, faces: _Optional[_Iterable[_Union[_face_pb2.Face, _Mapping]]] = ..., refusal: _Optional[_Union[_face_pb2.Refusal, _Mapping]] = ..., width_px: _Optional[int] = ..., height_px: _Optional[int] = ..., applied_rotation_degrees: _Optional[int] = ...) -> None: ...

class AnalyzeResponse(_message.Message):
    __slots__ = ("images",)
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    images: _containers.RepeatedCompositeFieldContainer[AnalyzedImage]
    def __init__(self, images: _Optional[_Iterable[_Union[AnalyzedImage, _Mapping]]] = ...) -> None: ...

class AnalyzeStreamRequest(_message.Message):
    __slots__ = ("sequence", "image", "features")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    image: _image_pb2.Image
    features: _containers.RepeatedScalarFieldContainer[FaceFeature]
    def __init__(self, sequence: _Optional[int] = ..., image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., features: _Optional[_Iterable[_Union[FaceFeature, str]]] = ...) -> None: ...

class AnalyzeStreamResponse(_message.Message):
    __slots__ = ("sequence", "image")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    image: AnalyzedImage
    def __init__(self, sequence: _Optional[int] = ..., image: _Optional[_Union[AnalyzedImage, _Mapping]] = ...) -> None: ...

class CompareRequest(_message.Message):
    __slots__ = ("first", "second")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    SECOND_FIELD_NUMBER: _ClassVar[int]
    first: _image_pb2.Image
    second: _image_pb2.Image
    def __init__(self, first: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., second: _Optional[_Union[_image_pb2.Image, _Mapping]] = ...) -> None: ...

class CompareResponse(_message.Message):
    __slots__ = ("similarity", "same_person_threshold", "is_same_person")
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    SAME_PERSON_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    IS_SAME_PERSON_FIELD_NUMBER: _ClassVar[int]
    similarity: float
    same_person_threshold: float
    is_same_person: bool
    def __init__(self, similarity: _Optional[float] = ..., same_person_threshold: _Optional[float] = ..., is_same_person: _Optional[bool] = ...) -> None: ...

class CuratePhotosRequest(_message.Message):
    __slots__ = ("photos", "min_face_px")
    PHOTOS_FIELD_NUMBER: _ClassVar[int]
    MIN_FACE_PX_FIELD_NUMBER: _ClassVar[int]
    photos: _containers.RepeatedCompositeFieldContainer[_image_pb2.Image]
    min_face_px: int
    def __init__(self, photos: _Optional[_Iterable[_Union[_image_pb2.Image, _Mapping]]] = ..., min_face_px: _Optional[int] = ...) -> None: ...

class CuratedPhoto(_message.Message):
    __slots__ = ("is_accepted", "refusals", "face", "warnings", "applied_rotation_degrees", "name", "similarity_to_set")
    IS_ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    FACE_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    APPLIED_ROTATION_DEGREES_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_TO_SET_FIELD_NUMBER: _ClassVar[int]
    is_accepted: bool
    refusals: _containers.RepeatedCompositeFieldContainer[_face_pb2.Refusal]
    face: _face_pb2.Face
    warnings: _containers.RepeatedCompositeFieldContainer[_face_pb2.Refusal]
    applied_rotation_degrees: int
    name: str
    similarity_to_set: float
    def __init__(self, is_accepted: _Optional[bool] = ..., refusals: _Optional[_Iterable[_Union[_face_pb2.Refusal, _Mapping]]] = ..., face: _Optional[_Union[_face_pb2.Face, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_face_pb2.Refusal, _Mapping]]] = ..., applied_rotation_degrees: _Optional[int] = ..., name: _Optional[str] = ..., similarity_to_set: _Optional[float] = ...) -> None: ...

class CuratePhotosResponse(_message.Message):
    __slots__ = ("photos", "accepted_count", "mean_embedding", "attributes", "template_index")
    PHOTOS_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    MEAN_EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_INDEX_FIELD_NUMBER: _ClassVar[int]
    photos: _containers.RepeatedCompositeFieldContainer[CuratedPhoto]
    accepted_count: int
    mean_embedding: _image_pb2.Embedding
    attributes: _containers.RepeatedCompositeFieldContainer[_face_pb2.FaceAttribute]
    template_index: int
    def __init__(self, photos: _Optional[_Iterable[_Union[CuratedPhoto, _Mapping]]] = ..., accepted_count: _Optional[int] = ..., mean_embedding: _Optional[_Union[_image_pb2.Embedding, _Mapping]] = ..., attributes: _Optional[_Iterable[_Union[_face_pb2.FaceAttribute, _Mapping]]] = ..., template_index: _Optional[int] = ...) -> None: ...

class GetBackendRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ModelInfo(_message.Message):
    __slots__ = ("name", "purpose", "licence", "is_available", "remedy")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    IS_AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    REMEDY_FIELD_NUMBER: _ClassVar[int]
    name: str
    purpose: str
    licence: str
    is_available: bool
    remedy: str
    def __init__(self, name: _Optional[str] = ..., purpose: _Optional[str] = ..., licence: _Optional[str] = ..., is_available: _Optional[bool] = ..., remedy: _Optional[str] = ...) -> None: ...

class GetBackendResponse(_message.Message):
    __slots__ = ("backend", "models", "same_person_threshold", "embedding_dimension", "features", "comparison_model")
    BACKEND_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    SAME_PERSON_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_DIMENSION_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    COMPARISON_MODEL_FIELD_NUMBER: _ClassVar[int]
    backend: str
    models: _containers.RepeatedCompositeFieldContainer[ModelInfo]
    same_person_threshold: float
    embedding_dimension: int
    features: _containers.RepeatedScalarFieldContainer[FaceFeature]
    comparison_model: str
    def __init__(self, backend: _Optional[str] = ..., models: _Optional[_Iterable[_Union[ModelInfo, _Mapping]]] = ..., same_person_threshold: _Optional[float] = ..., embedding_dimension: _Optional[int] = ..., features: _Optional[_Iterable[_Union[FaceFeature, str]]] = ..., comparison_model: _Optional[str] = ...) -> None: ...
