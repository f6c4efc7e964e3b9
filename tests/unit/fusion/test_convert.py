"""Messages to domain values and back."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from likeness.common.v1 import face_pb2, image_pb2
from likeness.fusion.v1 import fusion_pb2 as pb

from services.fusion import convert
from services.fusion.domain.fusing import BlendMode, RegionWeights, WarpMode
from services.fusion.domain.ranking import RankWeights, Similarity, Verdict
from services.fusion.errors import BelowIdentityGate
from shared.errors.common import FieldInvalid

pixels = st.floats(-1e4, 1e4, width=32)
points = st.builds(image_pb2.Point, x=pixels, y=pixels)
landmarks = st.builds(
    face_pb2.FaceLandmarks,
    left_eye=points,
    right_eye=points,
    nose=points,
    mouth_left=points,
    mouth_right=points,
)
faces = st.builds(
    face_pb2.Face,
    box=st.builds(image_pb2.Box, x0=pixels, y0=pixels, x1=pixels, y1=pixels),
    landmarks=landmarks,
    embedding=st.builds(
        image_pb2.Embedding,
        values=st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=8).filter(
            lambda v: math.sqrt(sum(x * x for x in v)) > 1e-3
        ),
    ),
    quality=st.builds(
        face_pb2.FaceQuality,
        overall=st.floats(0, 1, width=32),
        yaw_degrees=st.floats(-90, 90, width=32),
        pitch_degrees=st.floats(-90, 90, width=32),
    ),
)


@given(faces)
def test_face_keeps_its_numbers_and_the_embedding_its_direction(message):
    face = convert.face_from_proto(message)

    box = message.box
    assert (box.x0, box.y0, box.x1, box.y1) == face.box_px
    assert (message.landmarks.nose.x, message.landmarks.nose.y) == tuple(face.landmarks5[2])
    assert (message.landmarks.mouth_right.x, message.landmarks.mouth_right.y) == tuple(face.landmarks5[4])
    assert (message.quality.overall, message.quality.yaw_degrees) == (face.quality, face.yaw_deg)
    values = np.array(message.embedding.values)
    assert pytest.approx(float(np.linalg.norm(face.embedding)), abs=1e-5) == 1
    assert np.linalg.norm(values) == pytest.approx(float(face.embedding @ values), rel=1e-4)


@pytest.mark.parametrize("values", [[], [0.0, 0.0], [math.nan, 1.0], [math.inf, 1.0]])
def test_embedding_without_a_direction_is_refused(values):
    message = face_pb2.Face(embedding=image_pb2.Embedding(values=values))

    with pytest.raises(FieldInvalid, match="embedding"):
        convert.face_from_proto(message, needs_embedding=True)


def test_number_that_is_not_finite_is_refused():
    message = face_pb2.Face(box=image_pb2.Box(x0=math.nan))

    with pytest.raises(FieldInvalid, match="finite"):
        convert.face_from_proto(message)


def test_embeddings_of_two_embedders_are_never_compared():
    named = [image_pb2.Embedding(model=m) for m in ("dlib-resnet-v1", "", "buffalo_l")]

    with pytest.raises(FieldInvalid, match="buffalo_l and dlib-resnet-v1"):
        convert.embedder_of(named)
    assert convert.embedder_of(named[:2]) == "dlib-resnet-v1"


def test_defaults_of_fusion_are_those_that_the_proto_states():
    options = convert.fuse_options_from_proto(pb.FuseRequest())

    assert (1.0, RegionWeights(1, 1, 1)) == (options.strength, options.weights)
    assert (options.blend, options.warp) == (BlendMode.PYRAMID, WarpMode.SIMILARITY)


def test_explicit_zero_weight_is_not_the_default():
    request = pb.FuseRequest(region_weights=pb.RegionWeights(lips=0.0))

    assert RegionWeights(1, 1, 0) == convert.fuse_options_from_proto(request).weights


@pytest.mark.parametrize("blending", [v for v in pb.Blending.values()])
@pytest.mark.parametrize("warp", [v for v in pb.Warp.values()])
def test_every_enum_value_has_a_meaning(blending, warp):
    assert convert.fuse_options_from_proto(pb.FuseRequest(blending=blending, warp=warp))


def test_rank_options_take_the_request_before_the_defaults():
    request = pb.RankRequest(min_face_px=0, weights=pb.RankWeights(quality=1))
    defaults = {"min_face_px": 48.0, "duplicate_similarity": 0.98}

    options = convert.rank_options_from_proto(request, gate=0.5, **defaults)

    assert (0, 0.98, RankWeights(0, 0, 1)) == (
        options.min_face_px,
        options.duplicate_similarity,
        options.weights,
    )
    with pytest.raises(FieldInvalid, match="weights"):
        convert.rank_options_from_proto(pb.RankRequest(weights=pb.RankWeights()), gate=0.5, **defaults)


def test_verdict_carries_the_refusal_with_its_reason():
    refusal = BelowIdentityGate(image="c1", similarity="0.100", gate="0.940")
    message = convert.verdict_to_proto(Verdict("c1", 0, 0.2, Similarity(0.1, 3, 0.05), refusal))

    assert message.rejection.reason == "BELOW_IDENTITY_GATE"
    assert dict(message.rejection.metadata) == {"image": "c1", "similarity": "0.100", "gate": "0.940"}
    assert (message.best_reference_index, message.rank) == (3, 0)
    faceless = convert.verdict_to_proto(Verdict("c2", 0, 0.0, None, refusal))
    assert (faceless.best_reference_index, faceless.best_similarity) == (-1, 0.0)
