from likeness.common.v1 import image_pb2 as _image_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FaceLandmarks(_message.Message):
    __slots__ = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
    LEFT_EYE_FIELD_NUMBER: _ClassVar[int]
    RIGHT_EYE_FIELD_NUMBER: _ClassVar[int]
    NOSE_FIELD_NUMBER: _ClassVar[int]
    MOUTH_LEFT_FIELD_NUMBER: _ClassVar[int]
    MOUTH_RIGHT_FIELD_NUMBER: _ClassVar[int]
    left_eye: _image_pb2.Point
    right_eye: _image_pb2.Point
    nose: _image_pb2.Point
    mouth_left: _image_pb2.Point
    mouth_right: _image_pb2.Point
    def __init__(self, left_eye: _Optional[_Union[_image_pb2.Point, _Mapping]] = ..., right_eye: _Optional[_Union[_image_pb2.Point, _Mapping]] = ..., nose: _Optional[_Union[_image_pb2.Point, _Mapping]] = ..., mouth_left: _Optional[_Union[_image_pb2.Point, _Mapping]] = ..., mouth_right: _Optional[_Union[_image_pb2.Point, _Mapping]] = ...) -> None: ...

class FaceQuality(_message.Message):
    __slots__ = ("sharpness", "exposure", "size_px", "yaw_degrees", "pitch_degrees", "roll_degrees", "landmark_confidence", "overall", "judged", "defects")
    SHARPNESS_FIELD_NUMBER: _ClassVar[int]
    EXPOSURE_FIELD_NUMBER: _ClassVar[int]
    SIZE_PX_FIELD_NUMBER: _ClassVar[int]
    YAW_DEGREES_FIELD_NUMBER: _ClassVar[int]
    PITCH_DEGREES_FIELD_NUMBER: _ClassVar[int]
    ROLL_DEGREES_FIELD_NUMBER: _ClassVar[int]
    LANDMARK_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    OVERALL_FIELD_NUMBER: _ClassVar[int]
    JUDGED_FIELD_NUMBER: _ClassVar[int]
    DEFECTS_FIELD_NUMBER: _ClassVar[int]
    sharpness: float
    exposure: float
    size_px: float
    yaw_degrees: float
    pitch_degrees: float
    roll_degrees: float
    landmark_confidence: float
    overall: float
    judged: float
    defects: _containers.RepeatedCompositeFieldContainer[FaceDefect]
    def __init__(self, sharpness: _Optional[float] = ..., exposure: _Optional[float] = ..., size_px: _Optional[float] = ..., yaw_degrees: _Optional[float] = ..., pitch_degrees: _Optional[float] = ..., roll_degrees: _Optional[float] = ..., landmark_confidence: _Optional[float] = ..., overall: _Optional[float] = ..., judged: _Optional[float] = ..., defects: _Optional[_Iterable[_Union[FaceDefect, _Mapping]]] = ...) -> None: ...

class FaceDefect(_message.Message):
    __slots__ = ("name", "strength")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STRENGTH_FIELD_NUMBER: _ClassVar[int]
    name: str
    strength: float
    def __init__(self, name: _Optional[str] = ..., strength: _Optional[float] = ...) -> None: ...

class DenseLandmarks(_message.Message):
    __slots__ = ("scheme", "points", "visibility")
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    VISIBILITY_FIELD_NUMBER: _ClassVar[int]
    scheme: str
    points: _containers.RepeatedCompositeFieldContainer[_image_pb2.Point]
    visibility: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, scheme: _Optional[str] = ..., points: _Optional[_Iterable[_Union[_image_pb2.Point, _Mapping]]] = ..., visibility: _Optional[_Iterable[float]] = ...) -> None: ...

class PartMap(_message.Message):
    __slots__ = ("image", "box", "parts")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    image: _image_pb2.Image
    box: _image_pb2.Box
    parts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., box: _Optional[_Union[_image_pb2.Box, _Mapping]] = ..., parts: _Optional[_Iterable[str]] = ...) -> None: ...

class SkinMark(_message.Message):
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

class FaceAttribute(_message.Message):
    __slots__ = ("name", "value", "confidence")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    confidence: float
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ..., confidence: _Optional[float] = ...) -> None: ...

class Face(_message.Message):
    __slots__ = ("box", "landmarks", "embedding", "detection_confidence", "quality", "attributes", "dense_landmarks", "part_map", "marks", "has_marks_searched", "comparison_embedding")
    BOX_FIELD_NUMBER: _ClassVar[int]
    LANDMARKS_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    DETECTION_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    DENSE_LANDMARKS_FIELD_NUMBER: _ClassVar[int]
    PART_MAP_FIELD_NUMBER: _ClassVar[int]
    MARKS_FIELD_NUMBER: _ClassVar[int]
    HAS_MARKS_SEARCHED_FIELD_NUMBER: _ClassVar[int]
    COMPARISON_EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    box: _image_pb2.Box
    landmarks: FaceLandmarks
    embedding: _image_pb2.Embedding
    detection_confidence: float
    quality: FaceQuality
    attributes: _containers.RepeatedCompositeFieldContainer[FaceAttribute]
    dense_landmarks: DenseLandmarks
    part_map: PartMap
    marks: _containers.RepeatedCompositeFieldContainer[SkinMark]
    has_marks_searched: bool
    comparison_embedding: _image_pb2.Embedding
    def __init__(self, box: _Optional[_Union[_image_pb2.Box, _Mapping]] = ..., landmarks: _Optional[_Union[FaceLandmarks, _Mapping]] = ..., embedding: _Optional[_Union[_image_pb2.Embedding, _Mapping]] = ..., detection_confidence: _Optional[float] = ..., quality: _Optional[_Union[FaceQuality, _Mapping]] = ..., attributes: _Optional[_Iterable[_Union[FaceAttribute, _Mapping]]] = ..., dense_landmarks: _Optional[_Union[DenseLandmarks, _Mapping]] = ..., part_map: _Optional[_Union[PartMap, _Mapping]] = ..., marks: _Optional[_Iterable[_Union[SkinMark, _Mapping]]] = ..., has_marks_searched: _Optional[bool] = ..., comparison_embedding: _Optional[_Union[_image_pb2.Embedding, _Mapping]] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("reason", "message", "metadata")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    reason: str
    message: str
    metadata: _containers.ScalarMap[str, str]
    def __init__(self, reason: _Optional[str] = ..., message: _Optional[str] = ..., metadata: _Optional[_Mapping[str, str]] = ...) -> None: ...
