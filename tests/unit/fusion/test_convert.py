"""Messages to domain values and back."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from likeness.common.v1 import face_pb2, image_pb2

from services.fusion import convert
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


def test_face_keeps_the_embedders_own_vector_beside_the_one_for_comparing():
    message = face_pb2.Face(
        embedding=image_pb2.Embedding(values=[0.0, 2.0, 0.0]),
        comparison_embedding=image_pb2.Embedding(values=[3.0, 4.0]),
    )

    face = convert.face_from_proto(message)

    np.testing.assert_allclose([0, 1, 0], face.identity_embedding)
    np.testing.assert_allclose([0.6, 0.8], face.embedding, rtol=1e-6)
    assert convert.face_from_proto(face_pb2.Face()).identity_embedding.size == 0
