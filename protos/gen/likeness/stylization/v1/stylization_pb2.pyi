from likeness.common.v1 import image_pb2 as _image_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StylizeRequest(_message.Message):
    __slots__ = ("image", "effect", "strength")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    STRENGTH_FIELD_NUMBER: _ClassVar[int]
    image: _image_pb2.Image
    effect: str
    strength: float
    def __init__(self, image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., effect: _Optional[str] = ..., strength: _Optional[float] = ...) -> None: ...

class StylizeResponse(_message.Message):
    __slots__ = ("image",)
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    image: _image_pb2.Image
    def __init__(self, image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ...) -> None: ...

class StylizeStreamRequest(_message.Message):
    __slots__ = ("sequence", "frame", "effect", "strength")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    STRENGTH_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    frame: _image_pb2.Image
    effect: str
    strength: float
    def __init__(self, sequence: _Optional[int] = ..., frame: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., effect: _Optional[str] = ..., strength: _Optional[float] = ...) -> None: ...

class FrameError(_message.Message):
    __slots__ = ("reason", "message")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    reason: str
    message: str
    def __init__(self, reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class StylizeStreamResponse(_message.Message):
    __slots__ = ("sequence", "frame", "error")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    frame: _image_pb2.Image
    error: FrameError
    def __init__(self, sequence: _Optional[int] = ..., frame: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., error: _Optional[_Union[FrameError, _Mapping]] = ...) -> None: ...

class ListEffectsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Effect(_message.Message):
    __slots__ = ("name", "description", "licence")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    licence: str
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., licence: _Optional[str] = ...) -> None: ...

class ListEffectsResponse(_message.Message):
    __slots__ = ("effects",)
    EFFECTS_FIELD_NUMBER: _ClassVar[int]
    effects: _containers.RepeatedCompositeFieldContainer[Effect]
    def __init__(self, effects: _Optional[_Iterable[_Union[Effect, _Mapping]]] = ...) -> None: ...
