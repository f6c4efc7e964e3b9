"""Between likeness.fusion.v1 messages and the domain; pure functions."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from likeness.common.v1 import face_pb2, image_pb2
from likeness.fusion.v1 import fusion_pb2 as pb

from services.fusion import structure_wire
from services.fusion.domain.face import Face, FloatArray
from services.fusion.domain.fusing import BlendMode, FuseOptions, RegionWeights, WarpMode
from services.fusion.domain.marks import RestoredMark
from services.fusion.domain.ranking import RankOptions, RankWeights, Verdict
from services.fusion.engine.fuse import Fused
from shared.errors.common import FieldInvalid
from shared.wire import to_refusal

_BLENDS = {
    pb.BLENDING_UNSPECIFIED: BlendMode.PYRAMID,
    pb.BLENDING_PYRAMID: BlendMode.PYRAMID,
    pb.BLENDING_POISSON: BlendMode.POISSON,
}
_WARPS = {
    pb.WARP_UNSPECIFIED: WarpMode.SIMILARITY,
    pb.WARP_SIMILARITY: WarpMode.SIMILARITY,
    pb.WARP_LANDMARKS: WarpMode.LANDMARKS,
}


def face_from_proto(message: face_pb2.Face, *, needs_embedding: bool = False) -> Face:
    """A face; pose and quality that are not measured count as frontal and fit.

    Raises:
        FieldInvalid: numbers that are not finite, or an embedding of length 0 where one is needed.
    """
    marks = message.landmarks
    points = (marks.left_eye, marks.right_eye, marks.nose, marks.mouth_left, marks.mouth_right)
    landmarks = np.array([(p.x, p.y) for p in points], np.float32)
    box = (message.box.x0, message.box.y0, message.box.x1, message.box.y1)
    quality = message.quality
    values = [*box, quality.overall, quality.yaw_degrees, quality.pitch_degrees]
    if not (np.isfinite(landmarks).all() and np.isfinite(values).all()):
        raise FieldInvalid(field="faces", problem="a number is not finite")
    embedding = np.zeros(0, np.float32)
    compared = message.comparison_embedding if message.HasField("comparison_embedding") else message.embedding
    if needs_embedding or compared.values:
        embedding = embedding_from_proto(compared, field="faces.embedding")
    measured = message.HasField("quality")
    return Face(
        box,
        landmarks,
        embedding,
        quality.overall if measured else 1.0,
        quality.yaw_degrees,
        quality.pitch_degrees,
        judged_quality=quality.judged if quality.HasField("judged") else None,
        defects={defect.name: defect.strength for defect in quality.defects},
        sharpness=quality.sharpness if measured else None,
        attributes={attribute.name: attribute.value for attribute in message.attributes},
        dense=structure_wire.dense_from_proto(message),
        parts=structure_wire.parts_from_proto(message),
        marks=structure_wire.marks_from_proto(message),
    )


def embedding_from_proto(message: image_pb2.Embedding, *, field: str) -> FloatArray:
    """The unit vector (D,) of an embedding.

    Raises:
        FieldInvalid: it is empty, of length 0 or not finite, so that no cosine exists.
    """
    vector = np.array(message.values, np.float64)
    norm = float(np.linalg.norm(vector)) if vector.size else 0.0
    if not (np.isfinite(norm) and norm > 1e-9):
        raise FieldInvalid(field=field, problem="the embedding is empty, of length 0 or not finite")
    return np.asarray(vector / norm, np.float32)


def embedder_of(messages: Iterable[image_pb2.Embedding]) -> str:
    """The one embedder that all embeddings name; unnamed ones are taken to be of the same.

    Raises:
        FieldInvalid: there are several.
    """
    names = sorted({m.model for m in messages} - {""})
    if len(names) > 1:
        problem = f"embeddings of {' and '.join(names)} cannot be compared"
        raise FieldInvalid(field="references", problem=problem)
    return names[0] if names else ""


def fuse_options_from_proto(request: pb.FuseRequest) -> FuseOptions:
    """What is asked for, with the defaults of the proto."""
    weights = request.region_weights
    regions = RegionWeights(
        eyes=weights.eyes if weights.HasField("eyes") else 1.0,
        skin=weights.skin if weights.HasField("skin") else 1.0,
        lips=weights.lips if weights.HasField("lips") else 1.0,
    )
    strength = request.strength if request.HasField("strength") else 1.0
    return FuseOptions(strength, regions, _BLENDS[request.blending], _WARPS[request.warp])


def rank_options_from_proto(
    request: pb.RankRequest, *, gate: float, min_face_px: float, duplicate_similarity: float
) -> RankOptions:
    """What is asked for; the keyword arguments are the service's defaults.

    Raises:
        FieldInvalid: weights that are all zero.
    """
    weights = RankWeights()
    if request.HasField("weights"):
        given = request.weights
        weights = RankWeights(given.best_similarity, given.mean_similarity, given.quality)
        if weights.best + weights.mean + weights.quality <= 0:
            raise FieldInvalid(field="weights", problem="all are zero")
    return RankOptions(
        identity_gate=gate,
        min_face_px=request.min_face_px if request.HasField("min_face_px") else min_face_px,
        duplicate_similarity=(
            request.duplicate_similarity if request.HasField("duplicate_similarity") else duplicate_similarity
        ),
        weights=weights,
    )


def fused_to_proto(fused: Fused, image: image_pb2.Image) -> pb.FuseResponse:
    """The response of Fuse."""
    x0, y0, x1, y1 = fused.changed_box_px
    return pb.FuseResponse(
        image=image,
        template_index=fused.template_index,
        mask_share=fused.mask_share,
        strength=fused.options.strength,
        pose_similarity=fused.pose_similarity,
        transform=[float(v) for v in fused.transform.ravel()],
        changed_box=image_pb2.Box(x0=x0, y0=y0, x1=x1, y1=y1),
    )


def mark_to_proto(mark: RestoredMark) -> pb.RestoredMark:
    """One mark."""
    center = image_pb2.Point(x=mark.x_px, y=mark.y_px)
    return pb.RestoredMark(center=center, radius_px=mark.radius_px, confidence=mark.confidence)


def verdict_to_proto(verdict: Verdict) -> pb.RankedCandidate:
    """One verdict."""
    similarity = verdict.similarity
    return pb.RankedCandidate(
        candidate_id=verdict.name,
        rank=verdict.rank,
        score=verdict.score,
        best_similarity=similarity.best if similarity else 0.0,
        mean_similarity=similarity.mean if similarity else 0.0,
        best_reference_index=similarity.best_index if similarity else -1,
        rejection=to_refusal(verdict.refusal) if verdict.refusal else None,
    )
