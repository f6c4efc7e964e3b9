"""Between the messages of the API and the domain; pure functions."""

from collections.abc import Collection, Mapping, Sequence

from likeness.common.v1 import face_pb2, image_pb2
from likeness.face_analysis.v1 import face_analysis_pb2 as pb

from services.face_analysis.domain.backend import BackendInfo, ModelFile
from services.face_analysis.domain.faces import AttributeGuess, Face, Floats, Quality
from services.face_analysis.domain.findings import FaceFeature, JudgedQuality
from services.face_analysis.domain.photos import AnalyzedPhoto, Photo
from services.face_analysis.domain.verdicts import CurationReport, PhotoVerdict, Remark
from services.face_analysis.structure_wire import to_proto_dense, to_proto_mark, to_proto_parts
from shared.errors import LikenessError

_FEATURES: dict[pb.FaceFeature, FaceFeature] = {
    pb.FACE_FEATURE_STRUCTURE: FaceFeature.STRUCTURE,
    pb.FACE_FEATURE_MARKS: FaceFeature.MARKS,
}


def from_proto_image(
    image: image_pb2.Image, position: int, features: Collection[pb.FaceFeature] = ()
) -> Photo:
    """A photo; one without a name is called by its position, counted from 1."""
    name, wanted = image.name or f"image {position + 1}", frozenset(_FEATURES[one] for one in features)
    if image.WhichOneof("source") == "artifact":
        return Photo(
            name,
            artifact_uri=image.artifact.uri,
            artifact_sha256=image.artifact.sha256,
            features=wanted,
        )
    return Photo(name, data=image.data, features=wanted)


def from_proto_images(
    images: Sequence[image_pb2.Image], features: Collection[pb.FaceFeature] = ()
) -> list[Photo]:
    """Photos in order, of all of which the same features are wanted."""
    return [from_proto_image(image, position, features) for position, image in enumerate(images)]


def to_proto_analyzed_image(photo: AnalyzedPhoto, info: BackendInfo) -> pb.AnalyzedImage:
    """The faces, or the refusal; *info* names the embedder."""
    if isinstance(photo.outcome, LikenessError):
        return pb.AnalyzedImage(refusal=to_proto_refusal(Remark.from_error(photo.outcome)))
    return pb.AnalyzedImage(
        faces=[to_proto_face(face, info) for face in photo.outcome.faces],
        width_px=photo.outcome.width_px,
        height_px=photo.outcome.height_px,
        applied_rotation_degrees=photo.outcome.rotation_deg,
    )


def to_proto_face(face: Face, info: BackendInfo) -> face_pb2.Face:
    """One face; what was not asked for stays unset."""
    x0, y0, x1, y1 = face.box_px
    points = [image_pb2.Point(x=float(x), y=float(y)) for x, y in face.landmarks_px]
    return face_pb2.Face(
        box=image_pb2.Box(x0=x0, y0=y0, x1=x1, y1=y1),
        landmarks=face_pb2.FaceLandmarks(
            left_eye=points[0],
            right_eye=points[1],
            nose=points[2],
            mouth_left=points[3],
            mouth_right=points[4],
        ),
        embedding=to_proto_embedding(face.embedding, info.embedding_model),
        detection_confidence=face.detection_confidence,
        quality=to_proto_quality(face.quality, face.judged),
        attributes=to_proto_attributes(face.attributes),
        dense_landmarks=to_proto_dense(face.structure.landmarks) if face.structure else None,
        part_map=to_proto_parts(face.structure.parts) if face.structure else None,
        marks=[to_proto_mark(mark) for mark in face.marks or ()],
        has_marks_searched=face.marks is not None,
        comparison_embedding=_to_proto_comparison(face, info),
    )


def _to_proto_comparison(face: Face, info: BackendInfo) -> image_pb2.Embedding:
    if face.comparison is None:
        return to_proto_embedding(face.embedding, info.embedding_model)
    return to_proto_embedding(face.comparison, info.comparison_model)


def to_proto_quality(quality: Quality, judged: JudgedQuality | None = None) -> face_pb2.FaceQuality:
    """The measures; their units agree. What no net judged stays unset."""
    defects = judged.defects if judged else {}
    return face_pb2.FaceQuality(
        sharpness=quality.sharpness,
        exposure=quality.exposure,
        size_px=quality.size_px,
        yaw_degrees=quality.yaw_deg,
        pitch_degrees=quality.pitch_deg,
        roll_degrees=quality.roll_deg,
        landmark_confidence=quality.landmark_confidence,
        overall=quality.overall,
        judged=judged.quality if judged else None,
        defects=[face_pb2.FaceDefect(name=name, strength=value) for name, value in defects.items()],
    )


def to_proto_attributes(attributes: Mapping[str, AttributeGuess]) -> list[face_pb2.FaceAttribute]:
    """The most probable value of each trait, sorted by trait."""
    return [
        face_pb2.FaceAttribute(name=name, value=guess.value, confidence=guess.confidence)
        for name, guess in sorted(attributes.items())
    ]


def to_proto_embedding(values: Floats, model: str) -> image_pb2.Embedding:
    """An embedding, with the name of its embedder."""
    return image_pb2.Embedding(values=values.tolist(), model=model)


def to_proto_refusal(remark: Remark) -> face_pb2.Refusal:
    """A refusal or a warning."""
    return face_pb2.Refusal(reason=remark.reason, message=remark.message, metadata=remark.metadata)


def to_proto_curation(report: CurationReport, info: BackendInfo) -> pb.CuratePhotosResponse:
    """The whole report."""
    response = pb.CuratePhotosResponse(
        photos=[_to_proto_verdict(verdict, info) for verdict in report.verdicts],
        accepted_count=sum(verdict.is_accepted for verdict in report.verdicts),
        attributes=to_proto_attributes(report.attributes),
        template_index=report.template_index,
    )
    if report.mean_embedding is not None:
        response.mean_embedding.CopyFrom(to_proto_embedding(report.mean_embedding, info.embedding_model))
    return response


def to_proto_backend(
    info: BackendInfo, optional_models: Sequence[ModelFile], features: Collection[FaceFeature]
) -> pb.GetBackendResponse:
    """What is at work, and what could be."""
    models = [
        pb.ModelInfo(
            name=file.name,
            purpose=file.purpose,
            licence=file.licence,
            is_available=file.is_available,
            remedy=file.remedy,
        )
        for file in (*info.models, *optional_models)
    ]
    return pb.GetBackendResponse(
        backend=info.name,
        models=models,
        same_person_threshold=info.same_person_similarity,
        embedding_dimension=info.embedding_dimension,
        features=[number for number, feature in _FEATURES.items() if feature in features],
        comparison_model=info.comparison_model,
    )


def _to_proto_verdict(verdict: PhotoVerdict, info: BackendInfo) -> pb.CuratedPhoto:
    return pb.CuratedPhoto(
        name=verdict.name,
        is_accepted=verdict.is_accepted,
        refusals=[to_proto_refusal(remark) for remark in verdict.refusals],
        warnings=[to_proto_refusal(remark) for remark in verdict.warnings],
        face=to_proto_face(verdict.face, info) if verdict.face else None,
        applied_rotation_degrees=verdict.rotation_deg,
        similarity_to_set=verdict.similarity_to_set,
    )
