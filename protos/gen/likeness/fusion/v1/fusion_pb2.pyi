from likeness.common.v1 import face_pb2 as _face_pb2
from likeness.common.v1 import image_pb2 as _image_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Blending(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BLENDING_UNSPECIFIED: _ClassVar[Blending]
    BLENDING_PYRAMID: _ClassVar[Blending]
    BLENDING_POISSON: _ClassVar[Blending]

class Warp(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WARP_UNSPECIFIED: _ClassVar[Warp]
    WARP_SIMILARITY: _ClassVar[Warp]
    WARP_LANDMARKS: _ClassVar[Warp]
    WARP_POSED: _ClassVar[Warp]

class MarkSkip(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MARK_SKIP_UNSPECIFIED: _ClassVar[MarkSkip]
    MARK_SKIP_TURNED_AWAY: _ClassVar[MarkSkip]
    MARK_SKIP_COVERED: _ClassVar[MarkSkip]
    MARK_SKIP_OUTSIDE: _ClassVar[MarkSkip]
    MARK_SKIP_PRESENT: _ClassVar[MarkSkip]
    MARK_SKIP_TOO_SMALL: _ClassVar[MarkSkip]
BLENDING_UNSPECIFIED: Blending
BLENDING_PYRAMID: Blending
BLENDING_POISSON: Blending
WARP_UNSPECIFIED: Warp
WARP_SIMILARITY: Warp
WARP_LANDMARKS: Warp
WARP_POSED: Warp
MARK_SKIP_UNSPECIFIED: MarkSkip
MARK_SKIP_TURNED_AWAY: MarkSkip
MARK_SKIP_COVERED: MarkSkip
MARK_SKIP_OUTSIDE: MarkSkip
MARK_SKIP_PRESENT: MarkSkip
MARK_SKIP_TOO_SMALL: MarkSkip

class FacedImage(_message.Message):
    __slots__ = ("image", "faces", "face_position", "face_names")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    FACES_FIELD_NUMBER: _ClassVar[int]
    FACE_POSITION_FIELD_NUMBER: _ClassVar[int]
    FACE_NAMES_FIELD_NUMBER: _ClassVar[int]
    image: _image_pb2.Image
    faces: _containers.RepeatedCompositeFieldContainer[_face_pb2.Face]
    face_position: int
    face_names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., faces: _Optional[_Iterable[_Union[_face_pb2.Face, _Mapping]]] = ..., face_position: _Optional[int] = ..., face_names: _Optional[_Iterable[str]] = ...) -> None: ...

class FusedPerson(_message.Message):
    __slots__ = ("name", "face_position", "templates")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FACE_POSITION_FIELD_NUMBER: _ClassVar[int]
    TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    name: str
    face_position: int
    templates: _containers.RepeatedCompositeFieldContainer[FacedImage]
    def __init__(self, name: _Optional[str] = ..., face_position: _Optional[int] = ..., templates: _Optional[_Iterable[_Union[FacedImage, _Mapping]]] = ...) -> None: ...

class RegionWeights(_message.Message):
    __slots__ = ("eyes", "skin", "lips")
    EYES_FIELD_NUMBER: _ClassVar[int]
    SKIN_FIELD_NUMBER: _ClassVar[int]
    LIPS_FIELD_NUMBER: _ClassVar[int]
    eyes: float
    skin: float
    lips: float
    def __init__(self, eyes: _Optional[float] = ..., skin: _Optional[float] = ..., lips: _Optional[float] = ...) -> None: ...

class FuseRequest(_message.Message):
    __slots__ = ("candidate", "templates", "strength", "region_weights", "blending", "warp", "people")
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    STRENGTH_FIELD_NUMBER: _ClassVar[int]
    REGION_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    BLENDING_FIELD_NUMBER: _ClassVar[int]
    WARP_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    candidate: FacedImage
    templates: _containers.RepeatedCompositeFieldContainer[FacedImage]
    strength: float
    region_weights: RegionWeights
    blending: Blending
    warp: Warp
    people: _containers.RepeatedCompositeFieldContainer[FusedPerson]
    def __init__(self, candidate: _Optional[_Union[FacedImage, _Mapping]] = ..., templates: _Optional[_Iterable[_Union[FacedImage, _Mapping]]] = ..., strength: _Optional[float] = ..., region_weights: _Optional[_Union[RegionWeights, _Mapping]] = ..., blending: _Optional[_Union[Blending, str]] = ..., warp: _Optional[_Union[Warp, str]] = ..., people: _Optional[_Iterable[_Union[FusedPerson, _Mapping]]] = ...) -> None: ...

class FusedFace(_message.Message):
    __slots__ = ("name", "face_position", "template_index", "template_score", "pose_similarity", "expression_similarity", "mask_share", "warp", "transform", "changed_box")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FACE_POSITION_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_INDEX_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_SCORE_FIELD_NUMBER: _ClassVar[int]
    POSE_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    EXPRESSION_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    MASK_SHARE_FIELD_NUMBER: _ClassVar[int]
    WARP_FIELD_NUMBER: _ClassVar[int]
    TRANSFORM_FIELD_NUMBER: _ClassVar[int]
    CHANGED_BOX_FIELD_NUMBER: _ClassVar[int]
    name: str
    face_position: int
    template_index: int
    template_score: float
    pose_similarity: float
    expression_similarity: float
    mask_share: float
    warp: Warp
    transform: _containers.RepeatedScalarFieldContainer[float]
    changed_box: _image_pb2.Box
    def __init__(self, name: _Optional[str] = ..., face_position: _Optional[int] = ..., template_index: _Optional[int] = ..., template_score: _Optional[float] = ..., pose_similarity: _Optional[float] = ..., expression_similarity: _Optional[float] = ..., mask_share: _Optional[float] = ..., warp: _Optional[_Union[Warp, str]] = ..., transform: _Optional[_Iterable[float]] = ..., changed_box: _Optional[_Union[_image_pb2.Box, _Mapping]] = ...) -> None: ...

class FuseResponse(_message.Message):
    __slots__ = ("image", "template_index", "mask_share", "strength", "pose_similarity", "transform", "changed_box", "faces", "backend")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_INDEX_FIELD_NUMBER: _ClassVar[int]
    MASK_SHARE_FIELD_NUMBER: _ClassVar[int]
    STRENGTH_FIELD_NUMBER: _ClassVar[int]
    POSE_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    TRANSFORM_FIELD_NUMBER: _ClassVar[int]
    CHANGED_BOX_FIELD_NUMBER: _ClassVar[int]
    FACES_FIELD_NUMBER: _ClassVar[int]
    BACKEND_FIELD_NUMBER: _ClassVar[int]
    image: _image_pb2.Image
    template_index: int
    mask_share: float
    strength: float
    pose_similarity: float
    transform: _containers.RepeatedScalarFieldContainer[float]
    changed_box: _image_pb2.Box
    faces: _containers.RepeatedCompositeFieldContainer[FusedFace]
    backend: str
    def __init__(self, image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., template_index: _Optional[int] = ..., mask_share: _Optional[float] = ..., strength: _Optional[float] = ..., pose_similarity: _Optional[float] = ..., transform: _Optional[_Iterable[float]] = ..., changed_box: _Optional[_Union[_image_pb2.Box, _Mapping]] = ..., faces: _Optional[_Iterable[_Union[FusedFace, _Mapping]]] = ..., backend: _Optional[str] = ...) -> None: ...

class RestoreMarksRequest(_message.Message):
    __slots__ = ("candidate", "references")
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    candidate: FacedImage
    references: _containers.RepeatedCompositeFieldContainer[FacedImage]
    def __init__(self, candidate: _Optional[_Union[FacedImage, _Mapping]] = ..., references: _Optional[_Iterable[_Union[FacedImage, _Mapping]]] = ...) -> None: ...

class SkippedMark(_message.Message):
    __slots__ = ("center", "kind", "confidence", "reason")
    CENTER_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    center: _image_pb2.Point
    kind: str
    confidence: float
    reason: MarkSkip
    def __init__(self, center: _Optional[_Union[_image_pb2.Point, _Mapping]] = ..., kind: _Optional[str] = ..., confidence: _Optional[float] = ..., reason: _Optional[_Union[MarkSkip, str]] = ...) -> None: ...

class RestoredMark(_message.Message):
    __slots__ = ("center", "radius_px", "confidence", "kind", "seen_in")
    CENTER_FIELD_NUMBER: _ClassVar[int]
    RADIUS_PX_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SEEN_IN_FIELD_NUMBER: _ClassVar[int]
    center: _image_pb2.Point
    radius_px: float
    confidence: float
    kind: str
    seen_in: int
    def __init__(self, center: _Optional[_Union[_image_pb2.Point, _Mapping]] = ..., radius_px: _Optional[float] = ..., confidence: _Optional[float] = ..., kind: _Optional[str] = ..., seen_in: _Optional[int] = ...) -> None: ...

class RestoreMarksResponse(_message.Message):
    __slots__ = ("image", "marks", "skipped")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    MARKS_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    image: _image_pb2.Image
    marks: _containers.RepeatedCompositeFieldContainer[RestoredMark]
    skipped: _containers.RepeatedCompositeFieldContainer[SkippedMark]
    def __init__(self, image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., marks: _Optional[_Iterable[_Union[RestoredMark, _Mapping]]] = ..., skipped: _Optional[_Iterable[_Union[SkippedMark, _Mapping]]] = ...) -> None: ...

class RestoreTextureRequest(_message.Message):
    __slots__ = ("candidate", "references", "strength")
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    STRENGTH_FIELD_NUMBER: _ClassVar[int]
    candidate: FacedImage
    references: _containers.RepeatedCompositeFieldContainer[FacedImage]
    strength: float
    def __init__(self, candidate: _Optional[_Union[FacedImage, _Mapping]] = ..., references: _Optional[_Iterable[_Union[FacedImage, _Mapping]]] = ..., strength: _Optional[float] = ...) -> None: ...

class RestoreTextureResponse(_message.Message):
    __slots__ = ("image", "reference_index", "strength", "added_contrast")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_INDEX_FIELD_NUMBER: _ClassVar[int]
    STRENGTH_FIELD_NUMBER: _ClassVar[int]
    ADDED_CONTRAST_FIELD_NUMBER: _ClassVar[int]
    image: _image_pb2.Image
    reference_index: int
    strength: float
    added_contrast: float
    def __init__(self, image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., reference_index: _Optional[int] = ..., strength: _Optional[float] = ..., added_contrast: _Optional[float] = ...) -> None: ...

class EnhanceRequest(_message.Message):
    __slots__ = ("image", "scale", "strength")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    STRENGTH_FIELD_NUMBER: _ClassVar[int]
    image: _image_pb2.Image
    scale: int
    strength: float
    def __init__(self, image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., scale: _Optional[int] = ..., strength: _Optional[float] = ...) -> None: ...

class EnhanceResponse(_message.Message):
    __slots__ = ("image", "enhancer", "upscaler")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    ENHANCER_FIELD_NUMBER: _ClassVar[int]
    UPSCALER_FIELD_NUMBER: _ClassVar[int]
    image: _image_pb2.Image
    enhancer: str
    upscaler: str
    def __init__(self, image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., enhancer: _Optional[str] = ..., upscaler: _Optional[str] = ...) -> None: ...

class RankedInput(_message.Message):
    __slots__ = ("candidate_id", "faces", "image")
    CANDIDATE_ID_FIELD_NUMBER: _ClassVar[int]
    FACES_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    candidate_id: str
    faces: _containers.RepeatedCompositeFieldContainer[_face_pb2.Face]
    image: _image_pb2.Image
    def __init__(self, candidate_id: _Optional[str] = ..., faces: _Optional[_Iterable[_Union[_face_pb2.Face, _Mapping]]] = ..., image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ...) -> None: ...

class RankWeights(_message.Message):
    __slots__ = ("best_similarity", "mean_similarity", "quality", "attributes", "artefacts")
    BEST_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    MEAN_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    ARTEFACTS_FIELD_NUMBER: _ClassVar[int]
    best_similarity: float
    mean_similarity: float
    quality: float
    attributes: float
    artefacts: float
    def __init__(self, best_similarity: _Optional[float] = ..., mean_similarity: _Optional[float] = ..., quality: _Optional[float] = ..., attributes: _Optional[float] = ..., artefacts: _Optional[float] = ...) -> None: ...

class RankRequest(_message.Message):
    __slots__ = ("candidates", "references", "identity_gate", "min_face_px", "duplicate_similarity", "weights", "wanted_attributes", "false_accept_rate", "face_optional")
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_GATE_FIELD_NUMBER: _ClassVar[int]
    MIN_FACE_PX_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    WANTED_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    FALSE_ACCEPT_RATE_FIELD_NUMBER: _ClassVar[int]
    FACE_OPTIONAL_FIELD_NUMBER: _ClassVar[int]
    candidates: _containers.RepeatedCompositeFieldContainer[RankedInput]
    references: _containers.RepeatedCompositeFieldContainer[_image_pb2.Embedding]
    identity_gate: float
    min_face_px: int
    duplicate_similarity: float
    weights: RankWeights
    wanted_attributes: _containers.RepeatedCompositeFieldContainer[_face_pb2.FaceAttribute]
    false_accept_rate: float
    face_optional: bool
    def __init__(self, candidates: _Optional[_Iterable[_Union[RankedInput, _Mapping]]] = ..., references: _Optional[_Iterable[_Union[_image_pb2.Embedding, _Mapping]]] = ..., identity_gate: _Optional[float] = ..., min_face_px: _Optional[int] = ..., duplicate_similarity: _Optional[float] = ..., weights: _Optional[_Union[RankWeights, _Mapping]] = ..., wanted_attributes: _Optional[_Iterable[_Union[_face_pb2.FaceAttribute, _Mapping]]] = ..., false_accept_rate: _Optional[float] = ..., face_optional: _Optional[bool] = ...) -> None: ...

class ArtefactCheck(_message.Message):
    __slots__ = ("name", "score")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    name: str
    score: float
    def __init__(self, name: _Optional[str] = ..., score: _Optional[float] = ...) -> None: ...

class RankedCandidate(_message.Message):
    __slots__ = ("candidate_id", "rank", "score", "best_similarity", "mean_similarity", "best_reference_index", "rejection", "quality", "attribute_match", "checks")
    CANDIDATE_ID_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    BEST_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    MEAN_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    BEST_REFERENCE_INDEX_FIELD_NUMBER: _ClassVar[int]
    REJECTION_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTE_MATCH_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    candidate_id: str
    rank: int
    score: float
    best_similarity: float
    mean_similarity: float
    best_reference_index: int
    rejection: _face_pb2.Refusal
    quality: float
    attribute_match: float
    checks: _containers.RepeatedCompositeFieldContainer[ArtefactCheck]
    def __init__(self, candidate_id: _Optional[str] = ..., rank: _Optional[int] = ..., score: _Optional[float] = ..., best_similarity: _Optional[float] = ..., mean_similarity: _Optional[float] = ..., best_reference_index: _Optional[int] = ..., rejection: _Optional[_Union[_face_pb2.Refusal, _Mapping]] = ..., quality: _Optional[float] = ..., attribute_match: _Optional[float] = ..., checks: _Optional[_Iterable[_Union[ArtefactCheck, _Mapping]]] = ...) -> None: ...

class RankResponse(_message.Message):
    __slots__ = ("candidates", "identity_gate", "false_accept_rate", "false_reject_rate")
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_GATE_FIELD_NUMBER: _ClassVar[int]
    FALSE_ACCEPT_RATE_FIELD_NUMBER: _ClassVar[int]
    FALSE_REJECT_RATE_FIELD_NUMBER: _ClassVar[int]
    candidates: _containers.RepeatedCompositeFieldContainer[RankedCandidate]
    identity_gate: float
    false_accept_rate: float
    false_reject_rate: float
    def __init__(self, candidates: _Optional[_Iterable[_Union[RankedCandidate, _Mapping]]] = ..., identity_gate: _Optional[float] = ..., false_accept_rate: _Optional[float] = ..., false_reject_rate: _Optional[float] = ...) -> None: ...
